"""An HL7 receiver on python-hl7's MLLP server: acknowledges each message, prints its control id and the SHA-256 of
its bytes.

    receiver.py HOST PORT ENCODING LIMIT

Its log is that of asyncio and of whoever else writes one, and says how connections end.
"""

import asyncio
import hashlib
import logging
import sys

import hl7.mllp

log = logging.getLogger("receiver")


async def readmessage(reader):
    """What the reader's own readmessage does, and the bytes that it read."""
    block = await reader.readblock()
    return block, hl7.parse(block.decode(reader.encoding, reader.encoding_errors))


async def serve_one(reader, writer):
    try:
        while True:
            block, message = await readmessage(reader)
            print("received", message.segment("MSH")(10), hashlib.sha256(block).hexdigest(), flush=True)
            writer.writemessage(message.create_ack())
            await writer.drain()
    except asyncio.IncompleteReadError as e:
        if e.partial:
            log.warning("the connection ended in the middle of a message")
        else:
            log.info("the sender has gone")
    except ConnectionError as e:
        log.warning("the connection was lost: %s", e)
    except (hl7.mllp.InvalidBlockError, ValueError) as e:
        log.error("not a message: %s", e)
    finally:
        writer.close()


async def main(host, port, encoding, limit):
    async with await hl7.mllp.start_hl7_server(serve_one, host, port, encoding=encoding, limit=int(limit)) as server:
        await server.serve_forever()


logging.basicConfig(level=logging.DEBUG, format="%(levelname)s %(name)s %(message)s", stream=sys.stdout)
asyncio.run(main(*sys.argv[1:5]))
