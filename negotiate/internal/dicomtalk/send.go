package dicomtalk

import (
	"fmt"
	"io"
	"time"

	"gantry/negotiate"
	"gantry/protocols/dicom"
)

const (
	// pdvHead is what a PDV needs beside its data, as the length field of a P-DATA-TF counts.
	pdvHead = 6
	// minPDU is the smallest maximum length that leaves room for data: fragments are even, PS3.8 9.3.5.1.
	minPDU = pdvHead + 2
)

// Message is a DIMSE request: a command on a context, and the data set that belongs to it.
type Message struct {
	Context byte
	Command dicom.Command // Send fills in the message id
	Data    io.Reader     // nil = no data set
	Size    int           // of Data, in bytes; even
}

// Send sends a request, cut into fragments that the server takes, and returns its message id.
// The operation, such as "C-STORE", is what sentences call it from now on.
func (t *Talk) Send(operation string, m Message) (id uint16, fault *negotiate.Fault) {
	t.operation = operation
	m.Command.MessageID = t.nextID()
	command := m.Command.Append(nil)
	buf := t.fragments(nil, m.Context, command)
	if m.Data == nil {
		return m.Command.MessageID, t.write(buf)
	}
	// A small data set goes out with its command in one write.
	chunk := t.fragmentLen()
	data := make([]byte, min(chunk, m.Size))
	for left := m.Size; ; {
		n := min(left, chunk)
		if _, err := io.ReadFull(m.Data, data[:n]); err != nil {
			return 0, &negotiate.Fault{Stage: negotiate.StageAsk, Reason: negotiate.ReasonInternal, Err: err,
				Sentence: "this check has a bug: its data set is shorter than it says; please report it"}
		}
		left -= n
		buf = dicom.AppendPData(buf, dicom.PDV{ContextID: m.Context, Last: left == 0, Data: data[:n]})
		if fault := t.write(buf); fault != nil || left == 0 || t.broken != nil {
			return m.Command.MessageID, fault
		}
		buf = buf[:0]
	}
}

// cancel asks the server to stop answering a request. PS3.7 9.3.2.3; it has no answer of its own.
func (t *Talk) cancel(context byte, id uint16) *negotiate.Fault {
	rq := dicom.Command{Field: dicom.CCancelRQ, MessageIDBeingRespondedTo: id, DataSetType: dicom.NoDataSet}
	return t.write(t.fragments(nil, context, rq.Append(nil)))
}

// fragments cuts a command set into whole P-DATA-TFs.
func (t *Talk) fragments(dst []byte, context byte, set []byte) []byte {
	for chunk := t.fragmentLen(); len(set) > 0; {
		n := min(chunk, len(set))
		dst = dicom.AppendPData(dst, dicom.PDV{ContextID: context, Command: true, Last: n == len(set), Data: set[:n]})
		set = set[n:]
	}
	return dst
}

// fragmentLen is how much data one P-DATA-TF to the server may hold: an even number.
func (t *Talk) fragmentLen() int {
	most := t.maxSend
	if most == 0 || most > MaxFragment {
		most = MaxFragment
	}
	return int(most-pdvHead) &^ 1
}

func (t *Talk) write(b []byte) *negotiate.Fault {
	if _, err := t.conn.Write(b); err != nil {
		return t.unsent(err)
	}
	return nil
}

// lastWordWait is how long the reason of a server that takes no more is waited for: it is there, or
// will not come.
const lastWordWait = 50 * time.Millisecond

// unsent explains a request that could not be written. A server that gives up in the middle of a large
// object may have said why, and nobody has read it yet: by an abort, or by an answer with a failure, which
// is left for Response to read.
func (t *Talk) unsent(err error) *negotiate.Fault {
	_ = t.conn.SetReadDeadline(time.Now().Add(lastWordWait))
	first, peekErr := t.reader.Peek(dicom.HeaderLen + 4)
	fault := t.lost(negotiate.StageAsk, err)
	switch {
	case peekErr != nil:
	case dicom.PDUType(first[0]) == dicom.TypeAbort:
		t.alive = false
		return t.aborted(negotiate.StageAsk, first, "accepts the association, then aborts it instead of answering "+t.operation)
	case dicom.PDUType(first[0]) == dicom.TypeData:
		t.broken = fault
		return nil
	}
	return fault
}

// tooSmall explains a maximum length that leaves no room for anything.
func (t *Talk) tooSmall(length uint32) *negotiate.Fault {
	return &negotiate.Fault{Stage: negotiate.StageOpen, Reason: negotiate.ReasonMismatch,
		Sentence: fmt.Sprintf("accepts the association but takes no data: it announces a maximum length of %d bytes; check the maximum PDU length set on %s", length, t.Server)}
}
