"""An HL7 receiver on python-hl7's MLLP server: acknowledges each message, prints its control id."""

import asyncio
import sys

import hl7.mllp


async def serve_one(reader, writer):
    try:
        while True:
            message = await reader.readmessage()
            print("received", message.segment("MSH")(10), flush=True)
            writer.writemessage(message.create_ack())
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # the sender has gone; a health check never spoke
    finally:
        writer.close()


async def main(host, port):
    async with await hl7.mllp.start_hl7_server(serve_one, host, port) as server:
        await server.serve_forever()


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
