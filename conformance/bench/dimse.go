package main

import (
	"fmt"

	"golang.org/x/sys/unix"

	"gantry/protocols/dicom"
)

// What the DICOM loads say. Requestor and archive are both ours and know each other's messages, so that
// neither has to look at bulk data: whatever carries it shall be the slowest.

// The presentation contexts of every association, by their identifiers.
const (
	echoContext  = 1
	storeContext = 3
	getContext   = 5
)

// messageID of every operation: there is one at a time.
const messageID = 1

const (
	instance = "2.25.329800735698586629295641978511506172918"
	// echoTitle is the called AE title of associations without objects.
	echoTitle = "ZZ-ECHO"
	// pdvHead is what stands before a fragment inside its P-DATA-TF.
	pdvHead = 6
)

// cut says how large the objects of an association are and into which P-DATA-TF they are cut, both in
// bytes and multiples of 1024; pdu counts as the length field of a PDU counts.
type cut struct{ object, pdu int }

// title is the called AE title by which the archive learns of the cut: "512K-16K".
func (c cut) title() string { return fmt.Sprintf("%dK-%dK", c.object>>10, c.pdu>>10) }

// cutOf reads a title; ok is false for another one.
func cutOf(title string) (c cut, ok bool) {
	n, _ := fmt.Sscanf(title, "%dK-%dK", &c.object, &c.pdu)
	c.object, c.pdu = c.object<<10, c.pdu<<10
	return c, n == 2 && c.object > 0 && c.pdu > pdvHead
}

// dataLen is the length of a data set on the wire, with the heads of its PDUs and PDVs.
func (c cut) dataLen() int {
	pdus := (c.object + c.pdu - pdvHead - 1) / (c.pdu - pdvHead)
	return c.object + pdus*(dicom.HeaderLen+pdvHead)
}

// command is the C-STORE-RQ of an object.
func (c cut) command() *dicom.Command {
	return &dicom.Command{Field: dicom.CStoreRQ, MessageID: messageID,
		AffectedSOPClassUID: dicom.CTImageStorageUID, AffectedSOPInstanceUID: instance}
}

// store is a whole C-STORE-RQ with its object, which is nobody's image.
func (c cut) store() []byte {
	message := commandPDU(storeContext, *c.command())
	blank := make([]byte, c.pdu-pdvHead)
	for left := c.object; left > 0; left -= len(blank) {
		blank = blank[:min(left, len(blank))]
		message = dicom.AppendPData(message, dicom.PDV{ContextID: storeContext, Last: left == len(blank), Data: blank})
	}
	return message
}

// file keeps the message in memory, where sendfile(2) takes it from. The caller closes it.
func (c cut) file() (fd, size int, err error) {
	if fd, err = unix.MemfdCreate("object", unix.MFD_CLOEXEC); err != nil {
		return -1, 0, err
	}
	message := c.store()
	for size < len(message) {
		n, err := unix.Write(fd, message[size:])
		if err != nil {
			unix.Close(fd)
			return -1, 0, err
		}
		size += n
	}
	return fd, size, nil
}

func commandPDU(context byte, c dicom.Command) []byte {
	return dicom.AppendPData(nil, dicom.PDV{ContextID: context, Command: true, Last: true, Data: c.Append(nil)})
}

// request is the A-ASSOCIATE-RQ to the title.
func request(title string) *dicom.AssociateRQ {
	syntaxes := []string{dicom.ImplicitVRLittleEndianUID}
	return &dicom.AssociateRQ{
		CalledAE: title, CallingAE: "ZZ-BENCH",
		Contexts: []dicom.PresentationContext{
			{ID: echoContext, AbstractSyntax: dicom.VerificationUID, TransferSyntaxes: syntaxes},
			{ID: storeContext, AbstractSyntax: dicom.CTImageStorageUID, TransferSyntaxes: syntaxes},
			{ID: getContext, AbstractSyntax: dicom.StudyRootGetUID, TransferSyntaxes: syntaxes},
		},
		UserInformation: dicom.UserInformation{
			MaxLength: 128 << 10, ImplementationClassUID: "2.25.4711",
			Roles: []dicom.Role{{SOPClassUID: dicom.CTImageStorageUID, SCU: true, SCP: true}},
		},
	}
}

// echoRequest proposes nothing but verification.
func echoRequest() *dicom.AssociateRQ {
	rq := request(echoTitle)
	rq.Contexts, rq.Roles = rq.Contexts[:1], nil
	return rq
}

// acceptance takes everything that is proposed.
func acceptance(rq *dicom.AssociateRQ) *dicom.AssociateAC {
	ac := &dicom.AssociateAC{
		CalledAE: rq.CalledAE, CallingAE: rq.CallingAE,
		UserInformation: dicom.UserInformation{MaxLength: 128 << 10, ImplementationClassUID: "2.25.4712", Roles: rq.Roles},
	}
	for _, c := range rq.Contexts {
		r := dicom.ContextResult{ID: c.ID, Result: dicom.TransferSyntaxesRejected}
		if len(c.TransferSyntaxes) > 0 {
			r.Result, r.TransferSyntax = dicom.Accepted, c.TransferSyntaxes[0]
		}
		ac.Results = append(ac.Results, r)
	}
	return ac
}

// answerTo is the final response to a request, success.
func answerTo(context byte, rq *dicom.Command) []byte {
	rsp := dicom.Command{
		Field: rq.Field | dicom.ResponseBit, MessageIDBeingRespondedTo: rq.MessageID, DataSetType: dicom.NoDataSet,
		AffectedSOPClassUID: rq.AffectedSOPClassUID, AffectedSOPInstanceUID: rq.AffectedSOPInstanceUID,
	}
	return commandPDU(context, rsp)
}

// hello opens an association for verification.
func hello() step {
	rq := echoRequest()
	return step{rq.Append(nil), acceptance(rq).Append(nil)}
}

// echo is one C-ECHO.
func echo() step {
	rq := dicom.Command{Field: dicom.CEchoRQ, MessageID: messageID, AffectedSOPClassUID: dicom.VerificationUID, DataSetType: dicom.NoDataSet}
	return step{commandPDU(echoContext, rq), answerTo(echoContext, &rq)}
}

// goodbye releases it.
func goodbye() step { return step{dicom.AppendReleaseRQ(nil), dicom.AppendReleaseRP(nil)} }

// String gives "512 KiB in PDUs of 16 KiB".
func (c cut) String() string { return kibi(c.object) + " in PDUs of " + kibi(c.pdu) }

func kibi(n int) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}
