package gallery

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/fixtures/rude"
	"gantry/protocols/dicom"
)

// archive is a scripted DICOM server. The zero value accepts every association and answers everything with success.
type archive struct {
	reject  *dicom.Reject
	context func(class string) dicom.Result // judges a presentation context; nil accepts
	barren  bool                            // accepts without answering to the contexts
	greeted []byte                          // sent right behind the A-ASSOCIATE-AC
	answers map[uint16]answer               // by command field; absent ones succeed
	slow    time.Duration                   // before each answer to a message
	stays   bool                            // release requests are not answered
}

// answer gives the bytes that answer a message; none is silence.
type answer func(request) []byte

// request is one message: its command, and of its data set the length.
type request struct {
	context byte
	command *dicom.Command
	size    int
}

func mute(request) []byte { return nil }

// status answers with a status.
func status(code uint16) answer {
	return func(rq request) []byte { return rq.say(rq.context, rq.response(code)) }
}

func (rq request) response(code uint16) dicom.Command {
	return dicom.Command{
		AffectedSOPClassUID: rq.command.AffectedSOPClassUID, AffectedSOPInstanceUID: rq.command.AffectedSOPInstanceUID,
		Field: rq.command.Field | dicom.ResponseBit, MessageIDBeingRespondedTo: rq.command.MessageID,
		DataSetType: dicom.NoDataSet, Status: code,
	}
}

func (request) say(context byte, c dicom.Command) []byte {
	return dicom.AppendPData(nil, dicom.PDV{ContextID: context, Command: true, Last: true, Data: c.Append(nil)})
}

// peer plays the archive to everybody who connects.
func (a archive) peer() peer { return scripted(rude.Script{a.play}) }

// scripted plays scripts: the first connection gets the first one, and so on.
func scripted(scripts ...rude.Script) peer {
	return peer{start: func(t *testing.T) string {
		s, err := rude.Listen(scripts...)
		require.NoError(t, err)
		t.Cleanup(s.Close)
		return s.Addr()
	}}
}

// play is the archive's side of one connection.
func (a archive) play(p *rude.Peer) error {
	pdu, err := receive(p)
	if err != nil {
		return err
	}
	rq, err := dicom.DecodeAssociateRQ(pdu)
	if err != nil { // as DCMTK does: it does not know this type of PDU
		return last(p, dicom.AbortUnrecognizedPDU.Append(nil))
	}
	if a.reject != nil {
		return last(p, a.reject.Append(nil))
	}
	if _, err := p.Write(append(a.accept(rq, pdu), a.greeted...)); err != nil {
		return err
	}
	return a.serve(p)
}

func (a archive) accept(rq *dicom.AssociateRQ, pdu []byte) []byte {
	ac := dicom.AssociateAC{Version: 1, UserInformation: dicom.UserInformation{
		MaxLength: 16384, ImplementationClassUID: "2.25.316427.1", ImplementationVersion: "GANTRY_SIM"}}
	for _, c := range rq.Contexts {
		r := dicom.ContextResult{ID: c.ID, TransferSyntax: c.TransferSyntaxes[0]}
		if a.context != nil {
			r.Result = a.context(c.AbstractSyntax)
		}
		if !a.barren {
			ac.Results = append(ac.Results, r)
		}
	}
	b := ac.Append(nil)
	dicom.CopyTitles(b, pdu)
	return b
}

// serve answers messages until the association ends.
func (a archive) serve(p *rude.Peer) error {
	var commands dicom.Assembler
	var rq request
	for {
		pdu, err := receive(p)
		if err != nil {
			return err
		}
		switch dicom.PDUType(pdu[0]) {
		case dicom.TypeData:
			if err := a.take(p, &commands, &rq, pdu); err != nil {
				return err
			}
		case dicom.TypeReleaseRQ:
			if a.stays {
				return rude.Silent()(p)
			}
			return last(p, dicom.AppendReleaseRP(nil))
		default:
			return nil
		}
	}
}

// take collects a message, and answers it when it is whole.
func (a archive) take(p *rude.Peer, commands *dicom.Assembler, rq *request, pdu []byte) error {
	pdvs, err := dicom.DecodePDVs(pdu[dicom.HeaderLen:])
	if err != nil {
		return err
	}
	for _, pdv := range pdvs {
		whole := false
		if pdv.Command {
			c, err := commands.Add(pdv)
			if err != nil {
				return err
			}
			*rq = request{context: pdv.ContextID, command: c}
			whole = c != nil && !c.HasDataSet()
		} else {
			rq.size += len(pdv.Data)
			whole = pdv.Last
		}
		if !whole {
			continue
		}
		say := a.answers[rq.command.Field]
		if say == nil {
			say = status(dicom.StatusSuccess)
		}
		if err := pause(p, a.slow); err != nil {
			return err
		}
		if _, err := p.Write(say(*rq)); err != nil {
			return err
		}
	}
	return nil
}

// receive reads one PDU.
func receive(p *rude.Peer) ([]byte, error) {
	pdu := make([]byte, dicom.HeaderLen)
	if _, err := io.ReadFull(p, pdu); err != nil {
		return nil, err
	}
	t, length, err := dicom.DecodeHeader(pdu)
	if err != nil {
		return pdu, nil // not DICOM: the caller finds that
	}
	if err := dicom.CheckLength(t, length, 1<<20); err != nil {
		return nil, err
	}
	pdu = append(pdu, make([]byte, length)...)
	_, err = io.ReadFull(p, pdu[dicom.HeaderLen:])
	return pdu, err
}

// last says a last word, and leaves the close to the other side.
func last(p *rude.Peer, word []byte) error {
	if _, err := p.Write(word); err != nil {
		return err
	}
	return rude.Silent()(p)
}

// pause waits, but not longer than the peer is wanted.
func pause(p *rude.Peer, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-p.Gone:
		return fmt.Errorf("closed during a pause")
	}
}
