package gallery

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/fixtures/rude"
	"gantry/protocols/dicom"
	"gantry/protocols/hl7"
	"gantry/protocols/mllp"
)

// The peers that no simulator plays, or not in the same way each time.

// scripted plays scripts: the first connection gets the first one, and so on.
func scripted(scripts ...rude.Script) peer {
	return peer{start: func(t *testing.T) string {
		s, err := rude.Listen(scripts...)
		require.NoError(t, err)
		t.Cleanup(s.Close)
		return s.Addr()
	}}
}

// taken is a server with a single place, which an association holds.
var taken = occupied(1, archive("single-slot"), (&dicom.AssociateRQ{CalledAE: "VNA", CallingAE: "CT1", Contexts: []dicom.PresentationContext{
	{ID: 1, AbstractSyntax: dicom.VerificationUID, TransferSyntaxes: []string{dicom.ImplicitVRLittleEndianUID}}}}).Append(nil))

// occupied is a server of which clients hold so many places: each has said its first word, and got an answer.
func occupied(places int, of peer, word []byte) peer {
	return peer{start: func(t *testing.T) string {
		addr := of.start(t)
		for range places {
			c, err := net.Dial("tcp", addr)
			require.NoError(t, err)
			t.Cleanup(func() { _ = c.Close() })
			_, err = c.Write(word)
			require.NoError(t, err)
			_, err = c.Read(make([]byte, 1))
			require.NoError(t, err)
		}
		return addr
	}}
}

// barren accepts an association without a word about its presentation contexts.
func barren(p *rude.Peer) error {
	if _, err := pdu(p); err != nil {
		return err
	}
	return last(p, accept(nil))
}

// late associates at once, and answers its one C-ECHO after lateBy.
func late(p *rude.Peer) error {
	if _, err := pdu(p); err != nil {
		return err
	}
	agreed := []dicom.ContextResult{{ID: 1, TransferSyntax: dicom.ImplicitVRLittleEndianUID}}
	if err := rude.Send(accept(agreed))(p); err != nil {
		return err
	}
	body, err := pdu(p)
	if err != nil {
		return err
	}
	pdvs, err := dicom.DecodePDVs(body)
	if err != nil || len(pdvs) != 1 {
		return errors.Join(err, errors.New("not the C-ECHO-RQ of a check"))
	}
	rq, err := dicom.DecodeCommand(pdvs[0].Data)
	if err != nil {
		return err
	}
	rsp := dicom.Command{AffectedSOPClassUID: dicom.VerificationUID, Field: dicom.CEchoRSP, MessageIDBeingRespondedTo: rq.MessageID, DataSetType: dicom.NoDataSet}
	answer := dicom.AppendPData(nil, dicom.PDV{ContextID: 1, Command: true, Last: true, Data: rsp.Append(nil)})
	for _, step := range []rude.Step{pause, rude.Send(answer), rude.Recv(len(dicom.AppendReleaseRQ(nil)))} {
		if err := step(p); err != nil {
			return err
		}
	}
	return last(p, dicom.AppendReleaseRP(nil))
}

// pause waits for lateBy, but not longer than the peer is wanted.
func pause(p *rude.Peer) error {
	timer := time.NewTimer(lateBy)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-p.Gone:
		return errors.New("closed during a pause")
	}
}

// pdu reads one PDU and gives its body.
func pdu(p *rude.Peer) ([]byte, error) {
	at := len(p.Received)
	if err := rude.Recv(dicom.HeaderLen)(p); err != nil {
		return nil, err
	}
	_, length, err := dicom.DecodeHeader(p.Received[at:])
	if err != nil {
		return nil, err
	}
	err = rude.Recv(int(min(length, dicom.MaxAssociatePDU)))(p)
	return p.Received[at+dicom.HeaderLen:], err
}

// accept is an A-ASSOCIATE-AC.
func accept(results []dicom.ContextResult) []byte {
	ac := dicom.AssociateAC{Version: 1, Results: results, UserInformation: dicom.UserInformation{MaxLength: 16384, ImplementationClassUID: "2.25.316427.1"}}
	return ac.Append(nil)
}

// acknowledge answers one HL7 message with AA, and reads on.
func acknowledge(p *rude.Peer) error {
	if err := rude.RecvUntil("\x1c\r")(p); err != nil {
		return err
	}
	header, err := hl7.DecodeHeader(p.Received[1 : len(p.Received)-2])
	if err != nil {
		return err
	}
	return last(p, mllp.Append(nil, hl7.Ack{Code: hl7.ApplicationAccept, ControlID: "1"}.Append(nil, header)))
}

// last says a last word, and leaves the close to the other side.
func last(p *rude.Peer, word []byte) error {
	if _, err := p.Write(word); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, p)
	return err
}
