"""pynetdicom as both ends of an association, for the conformance tests.

    pynet.py scp PORT AET [options]             serves everything until it is ended
    pynet.py scu TASKS HOST PORT CALLED CALLING [options]    does tasks, one behind the other: find,get

Each writes one line for whatever happens, "word key=value ...", and a client ends with "done" or with an
exception. Data sets are bytes made up here, and are compared by their SHA-256.
"""

import argparse
import hashlib
import sys
import threading
import zlib
from io import BytesIO

from pydicom.dataset import Dataset
from pydicom.uid import AllTransferSyntaxes, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, build_role, debug_logger, evt, sop_class
from pynetdicom.dimse_messages import DIMSEMessage, N_ACTION_RSP
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_primitives import C_ECHO, C_STORE
from pynetdicom.pdu_primitives import P_DATA, AsynchronousOperationsWindowNegotiation, UserIdentityNegotiation
from pynetdicom.pdu import P_DATA_TF
from pynetdicom.presentation import build_context

CT = sop_class.CTImageStorage
SC = sop_class.SecondaryCaptureImageStorage
FIND = sop_class.StudyRootQueryRetrieveInformationModelFind
MOVE = sop_class.StudyRootQueryRetrieveInformationModelMove
GET = sop_class.StudyRootQueryRetrieveInformationModelGet
COMMIT = sop_class.StorageCommitmentPushModel
COMMIT_INSTANCE = "1.2.840.10008.1.20.1.1"
MPPS = sop_class.ModalityPerformedProcedureStep
SYNTAXES = [str(uid) for uid in AllTransferSyntaxes]

writing = threading.Lock()


def say(word, **about):
    with writing:
        print(word, *(f"{k}={v}" for k, v in about.items()), flush=True)


def digest(data):
    return hashlib.sha256(data).hexdigest()[:32]


# --- odd but legal PDUs (PS3.8 annex E: fragments, PDVs, PDUs) ---

PIECE = 20  # bytes of a command in one fragment: cuts through tags, lengths and values


def group_oddly(how):
    """Makes everything that is sent from now on be cut and joined in the given way."""
    whole = DIMSEMessage.encode_msg

    def pieces(self, context, longest):
        pdvs = [v for pdu in whole(self, context, longest) for v in pdu.presentation_data_value_list]
        command = b"".join(v[1:] for _, v in pdvs if v[0] & 1)
        data = [v for _, v in pdvs if not v[0] & 1]
        step = PIECE if how in ("pdus", "pdvs", "all") else len(command)
        cut = [command[i:i + step] for i in range(0, len(command), step)]
        cut = [b"\x01" + c for c in cut[:-1]] + [b"\x03" + cut[-1]]
        together = how in ("joined", "all")  # command and data in one PDU, as far as there is room
        groups = [[c] for c in cut] if how == "pdus" else [cut]
        for v in data:
            room = longest == 0 or sum(len(x) + 5 for x in groups[-1] + [v]) <= longest
            if together and room:
                groups[-1].append(v)
            else:
                groups.append([v])
        for group in groups:
            pdu = P_DATA()
            pdu.presentation_data_value_list = [[context, v] for v in group]
            yield pdu

    DIMSEMessage.encode_msg = pieces


def answer_second_first():
    """Holds the answer to the first C-ECHO until the second is answered: an asynchronous performer."""
    plain, held = DIMSEServiceProvider.send_msg, []

    def send(self, primitive, context):
        if isinstance(primitive, C_ECHO) and primitive.MessageIDBeingRespondedTo:
            if not held:
                held.append((primitive, context))
                return
            plain(self, primitive, context)
            primitive, context = held.pop()
        plain(self, primitive, context)

    DIMSEServiceProvider.send_msg = send


# --- made-up objects ---

def made_up(number):
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = CT, f"2.25.7301.77.{number}"
    ds.PatientName, ds.PatientID = "CONFORMANCE^INVENTED", "ZZ-GANTRY-77"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "2.25.7301.77", "2.25.7301.77.1"
    ds.QueryRetrieveLevel, ds.InstanceNumber = "IMAGE", number
    ds.file_meta = Dataset()
    ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    return ds


def opaque(syntax, size):
    """Bytes that look like nothing: a data set of any transfer syntax, as a relay sees it."""
    seed, out = syntax.encode(), bytearray()
    while len(out) < size:
        seed = hashlib.sha256(seed).digest()
        out += seed
    out = bytes(out[:size])
    return zlib.compress(out) + b"\0" * (len(zlib.compress(out)) % 2) if syntax.endswith(".1.99") else out


def raw_store(assoc, context, instance, data, message_id):
    """C-STORE of bytes as they are. What is returned is the answer's status."""
    rq = C_STORE()
    rq.MessageID, rq.Priority, rq.DataSet = message_id, 2, BytesIO(data)
    rq.AffectedSOPClassUID, rq.AffectedSOPInstanceUID = context.abstract_syntax, instance
    return raw_exchange(assoc, [(rq, context.context_id)])[0].Status


def raw_exchange(assoc, requests):
    """Sends every request, then reads as many answers."""
    assoc._reactor_checkpoint.clear()
    for primitive, context in requests:
        assoc.dimse.send_msg(primitive, context)
    answers = [assoc.dimse.get_msg(block=True)[1] for _ in requests]
    assoc._reactor_checkpoint.set()
    assert all(answers), "no answer came"
    return answers


def associations(who):
    """Handlers that say what the association's beginning looks like on the wire."""
    def bytes_of(event, way):
        word = {1: "associate-rq", 2: "associate-ac"}.get(event.data[0])
        if word:
            called, calling = event.data[10:26].decode().strip(), event.data[26:42].decode().strip()
            say(word, at=who, way=way, bytes=len(event.data), sha=digest(event.data), called=called, calling=calling)
        if event.data[0] == 7:
            say("a-abort", at=who, way=way, source=event.data[8], reason=event.data[9])

    return [(evt.EVT_DATA_RECV, lambda e: bytes_of(e, "received")), (evt.EVT_DATA_SENT, lambda e: bytes_of(e, "sent"))]


# --- the server ---

class Server:
    def __init__(self, args):
        self.args, self.peers = args, dict(p.split("=") for p in args.peer)
        self.answered = threading.Event()  # the N-ACTION's answer has left
        self.leaving = False

    def run(self):
        ae = AE(ae_title=self.args.aet)
        ae.maximum_pdu_size = self.args.max_pdu
        ae.maximum_associations = 100
        for context in [c for n in dir(sop_class) if n.endswith("Storage") for c in [getattr(sop_class, n)]]:
            ae.add_supported_context(context, SYNTAXES, scu_role=True, scp_role=True)
        for uid in (sop_class.Verification, FIND, MOVE, GET, MPPS):
            ae.add_supported_context(uid)
        ae.add_supported_context(COMMIT, scu_role=True, scp_role=True)
        handlers = associations("server") + [
            (evt.EVT_ACCEPTED, self.accepted), (evt.EVT_RELEASED, lambda e: say("released", at="server")),
            (evt.EVT_ABORTED, lambda e: say("aborted", at="server")),
            (evt.EVT_C_ECHO, self.echo), (evt.EVT_C_STORE, self.store), (evt.EVT_C_FIND, self.find),
            (evt.EVT_C_GET, self.get), (evt.EVT_C_MOVE, self.move), (evt.EVT_N_ACTION, self.action),
            (evt.EVT_N_CREATE, self.create), (evt.EVT_N_SET, self.set), (evt.EVT_ASYNC_OPS, lambda e: (3, 2)),  # answered as 1, 1: the library has no more
            (evt.EVT_N_EVENT_REPORT, reported), (evt.EVT_DIMSE_SENT, self.dimse_sent), (evt.EVT_PDU_SENT, self.pdu_sent),
            (evt.EVT_USER_ID, lambda e: (True, b"token"))]
        self.ae = ae
        server = ae.start_server(("127.0.0.1", self.args.port), block=False, evt_handlers=handlers)
        say("listening")
        threading.Event().wait()
        server.shutdown()

    def accepted(self, event):
        rq = event.assoc.requestor
        say("accepted", calling=rq.ae_title.strip(), called=event.assoc.acceptor.primitive.called_ae_title.strip()
            if event.assoc.acceptor.primitive else "", source=rq.address, contexts=len(event.assoc.accepted_contexts))

    def echo(self, event):
        say("echo", id=event.request.MessageID)
        return 0

    def store(self, event):
        rq = event.request
        data = rq.DataSet.getvalue()
        about = {"originator": rq.MoveOriginatorApplicationEntityTitle} if rq.MoveOriginatorApplicationEntityTitle else {}
        say("stored", syntax=event.context.transfer_syntax, bytes=len(data), sha=digest(data), **about)
        return self.args.status

    def find(self, event):
        for number in range(self.args.matches):
            yield 0xFF00, made_up(number)
        if self.args.status:
            yield self.args.status, None

    def get(self, event):
        yield self.args.matches
        for number in range(self.args.matches):
            yield 0xFF00, made_up(number)

    def move(self, event):
        destination = event.move_destination.strip() if isinstance(event.move_destination, str) else event.move_destination
        if destination not in self.peers:
            yield None, None
            return
        host, port = self.peers[destination].split(":")
        yield host, int(port), {"ae_title": destination, "contexts": [build_context(CT, ImplicitVRLittleEndian)]}
        yield self.args.matches
        for number in range(self.args.matches):
            yield 0xFF00, made_up(number)

    def create(self, event):
        say("mpps-created", status=event.attribute_list.PerformedProcedureStepStatus.replace(" ", "-"))
        return 0, event.attribute_list

    def set(self, event):
        say("mpps-set", status=event.modification_list.PerformedProcedureStepStatus.replace(" ", "-"))
        return 0, event.modification_list

    def action(self, event):
        say("commitment-asked", references=len(event.action_information.ReferencedSOPSequence))
        self.answered.clear()
        threading.Thread(target=self.report, args=(event.assoc, event.action_information), daemon=True).start()
        return 0, None

    def dimse_sent(self, event):
        self.leaving = isinstance(event.message, N_ACTION_RSP)

    def pdu_sent(self, event):
        if self.leaving and isinstance(event.pdu, P_DATA_TF):
            self.answered.set()

    def report(self, assoc, asked):
        """The result: on the association of the request, or on a new one to whoever asked (PS3.4 J.3.3)."""
        self.answered.wait(10)
        if self.args.event == "new":
            caller = assoc.requestor.ae_title.strip()
            host, port = self.peers[caller].split(":")
            ae = AE(ae_title=self.args.aet)
            ae.add_requested_context(COMMIT)
            assoc = ae.associate(host, int(port), ae_title=caller, ext_neg=[build_role(COMMIT, scp_role=True)],
                                 evt_handlers=associations("server"))
            if not assoc.is_established:
                say("commitment-lost")
                return
        status, _ = assoc.send_n_event_report(asked, 1, COMMIT, COMMIT_INSTANCE)
        say("commitment-told", status=f"{status.get('Status', -1):04x}")
        if self.args.event == "new":
            assoc.release()


def reported(event):
    say("commitment-heard", transaction=event.event_information.TransactionUID, type=event.event_type)
    heard.set()
    return 0, None


heard = threading.Event()


# --- the clients ---

class Client:
    def __init__(self, args):
        self.args = args
        self.ae = AE(ae_title=args.calling)
        self.ae.maximum_pdu_size = args.max_pdu
        self.ae.acse_timeout = self.ae.dimse_timeout = self.ae.network_timeout = 20

    def associate(self, contexts, ext_neg=None, more=()):
        assoc = self.ae.associate(self.args.host, self.args.port, ae_title=self.args.called, contexts=contexts,
                                  ext_neg=ext_neg or [], evt_handlers=associations("client") + list(more))
        if assoc.is_rejected:
            pdu = assoc.acceptor.primitive
            say("rejected", result=pdu.result, source=pdu.result_source, reason=pdu.diagnostic)
            sys.exit(3)
        if not assoc.is_established:
            say("aborted", at="client")
            sys.exit(4)
        return assoc

    def echo(self):
        assoc = self.associate([build_context(sop_class.Verification)])
        say("echoed", status=f"{assoc.send_c_echo().Status:04x}")
        assoc.release()

    def wait(self):
        """Asks nothing, until the association ends by somebody else's doing."""
        ended = threading.Event()
        self.associate([build_context(sop_class.Verification)], more=[(evt.EVT_ABORTED, lambda e: ended.set()),
                                                                      (evt.EVT_CONN_CLOSE, lambda e: ended.set())])
        assert ended.wait(30), "the association did not end"

    def syntaxes(self):
        assoc = self.associate([build_context(SC, s) for s in SYNTAXES])
        for number, context in enumerate(assoc.accepted_contexts):
            syntax = context.transfer_syntax[0]
            data = opaque(syntax, self.args.size + 2 * number)
            status = raw_store(assoc, context, f"2.25.7301.78.{number}", data, number + 1)
            say("sent", syntax=syntax, bytes=len(data), sha=digest(data), status=f"{status:04x}")
        assoc.release()

    def contexts(self):
        classes = sorted({getattr(sop_class, n) for n in dir(sop_class) if n.endswith("Storage")})
        proposed = [build_context(c, [ExplicitVRLittleEndian, ImplicitVRLittleEndian]) for c in (classes * 2)[:128]]
        window = AsynchronousOperationsWindowNegotiation()
        window.maximum_number_operations_invoked, window.maximum_number_operations_performed = 5, 5
        user = UserIdentityNegotiation()
        user.user_identity_type, user.primary_field = 5, b"invented.web.token"  # of the types that are answered
        user.positive_response_requested = True
        roles = [build_role(c, scu_role=True, scp_role=True) for c in classes[:20]]
        assoc = self.associate(proposed, [window, user] + roles)
        got, = [i for i in assoc.acceptor.primitive.user_information if isinstance(i, type(window))]
        say("contexts", proposed=len(proposed), accepted=len(assoc.accepted_contexts),
            invoked=got.maximum_number_operations_invoked, performed=got.maximum_number_operations_performed,
            roles=sum(bool(c.as_scp) for c in assoc.accepted_contexts), identity=assoc.acceptor.user_identity.server_response.decode())
        assoc.release()

    def window(self):
        window = AsynchronousOperationsWindowNegotiation()
        window.maximum_number_operations_invoked, window.maximum_number_operations_performed = 2, 2
        assoc = self.associate([build_context(sop_class.Verification)], [window])
        requests = []
        for number in (11, 12):
            rq = C_ECHO()
            rq.MessageID, rq.AffectedSOPClassUID = number, sop_class.Verification
            requests.append((rq, 1))
        say("answers", order=",".join(str(a.MessageIDBeingRespondedTo) for a in raw_exchange(assoc, requests)))
        assoc.release()

    def find(self):
        assoc = self.associate([build_context(FIND)])
        query = Dataset()
        query.QueryRetrieveLevel, query.PatientID = "IMAGE", "ZZ-GANTRY-77"
        say("found", statuses=",".join(f"{s.Status:04x}" for s, _ in assoc.send_c_find(query, FIND)))
        assoc.release()

    def get(self):
        def store(event):
            data = event.request.DataSet.getvalue()
            say("got", bytes=len(data), sha=digest(data))
            return 0

        assoc = self.associate([build_context(GET), build_context(CT)], [build_role(CT, scp_role=True)],
                               [(evt.EVT_C_STORE, store)])
        self.retrieved(assoc.send_c_get(self.wanted(), GET))
        assoc.release()

    def move(self):
        assoc = self.associate([build_context(MOVE)])
        self.retrieved(assoc.send_c_move(self.wanted(), self.args.destination, MOVE))
        assoc.release()

    def wanted(self):
        query = Dataset()
        query.QueryRetrieveLevel, query.StudyInstanceUID = "STUDY", self.args.study
        return query

    def retrieved(self, responses):
        for status, _ in responses:
            pass
        say("retrieved", status=f"{status.Status:04x}", completed=status.get("NumberOfCompletedSuboperations", 0),
            failed=status.get("NumberOfFailedSuboperations", 0))

    def commit(self):
        listener = None
        if self.args.listen:
            ear = AE(ae_title=self.args.calling)
            ear.add_supported_context(COMMIT, scu_role=True, scp_role=True)
            listener = ear.start_server(("127.0.0.1", self.args.listen), block=False, evt_handlers=associations("client") + [
                (evt.EVT_N_EVENT_REPORT, reported),
                (evt.EVT_ACCEPTED, lambda e: say("event-association", calling=e.assoc.requestor.ae_title.strip()))])
        assoc = self.associate([build_context(COMMIT)], more=[(evt.EVT_N_EVENT_REPORT, reported)])
        asked, item = Dataset(), Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CT, "2.25.7301.77.0"
        asked.TransactionUID, asked.ReferencedSOPSequence = "2.25.7301.79", [item]
        status, _ = assoc.send_n_action(asked, 1, COMMIT, COMMIT_INSTANCE)
        say("commitment-asked", status=f"{status.Status:04x}")
        if listener:
            assoc.release()
        assert heard.wait(20), "no event report came"
        if listener:
            listener.shutdown()
        else:
            assoc.release()

    def mpps(self):
        step = Dataset()
        step.PerformedProcedureStepStatus = "IN PROGRESS"
        assoc = self.associate([build_context(MPPS)])
        say("mpps-created", status=f"{assoc.send_n_create(step, MPPS, '2.25.7301.80')[0].Status:04x}")
        assoc.release()
        step.PerformedProcedureStepStatus = "COMPLETED"
        assoc = self.associate([build_context(MPPS)])  # minutes later, in life
        say("mpps-set", status=f"{assoc.send_n_set(step, MPPS, '2.25.7301.80')[0].Status:04x}")
        assoc.release()


def main():
    parser = argparse.ArgumentParser()
    roles = parser.add_subparsers(dest="role", required=True)
    scp, scu = roles.add_parser("scp"), roles.add_parser("scu")
    scp.add_argument("port", type=int)
    scp.add_argument("aet")
    scp.add_argument("--peer", action="append", default=[], help="AET=HOST:PORT of a destination")
    scp.add_argument("--event", choices=["same", "new"], default="same", help="association of N-EVENT-REPORT")
    scp.add_argument("--status", type=lambda s: int(s, 16), default=0, help="of C-STORE and C-FIND, hexadecimal")
    scp.add_argument("--matches", type=int, default=3)
    scu.add_argument("tasks", type=lambda s: s.split(","))
    scu.add_argument("host")
    scu.add_argument("port", type=int)
    scu.add_argument("called")
    scu.add_argument("calling")
    scu.add_argument("--destination", default="")
    scu.add_argument("--study", default="2.25.7301.77")
    scu.add_argument("--listen", type=int, default=0, help="port for event reports; without it they come on the association")
    scu.add_argument("--size", type=int, default=50000, help="bytes of an opaque data set, about")
    for p in (scp, scu):
        p.add_argument("--max-pdu", type=int, default=16382, help="announced; 0 is no limit")
        p.add_argument("--odd", choices=["joined", "pdus", "pdvs", "all", "swapped"])
        p.add_argument("--debug", action="store_true")
    args = parser.parse_args()
    if args.debug:
        debug_logger()
    if args.odd == "swapped":
        answer_second_first()
    elif args.odd:
        group_oddly(args.odd)
    if args.role == "scp":
        Server(args).run()
    else:
        for task in args.tasks:
            getattr(Client(args), task)()
        say("done")


main()
