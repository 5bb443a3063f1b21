package dicom

import (
	"encoding/binary"
	"fmt"
)

// Command fields. PS3.7 Annex E.1. A response has bit 15 set.
const (
	CStoreRQ       uint16 = 0x0001
	CGetRQ         uint16 = 0x0010
	CFindRQ        uint16 = 0x0020
	CMoveRQ        uint16 = 0x0021
	CEchoRQ        uint16 = 0x0030
	NEventReportRQ uint16 = 0x0100
	NGetRQ         uint16 = 0x0110
	NSetRQ         uint16 = 0x0120
	NActionRQ      uint16 = 0x0130
	NCreateRQ      uint16 = 0x0140
	NDeleteRQ      uint16 = 0x0150
	CCancelRQ      uint16 = 0x0FFF // has no response

	CStoreRSP uint16 = CStoreRQ | ResponseBit
	CGetRSP   uint16 = CGetRQ | ResponseBit
	CFindRSP  uint16 = CFindRQ | ResponseBit
	CMoveRSP  uint16 = CMoveRQ | ResponseBit
	CEchoRSP  uint16 = CEchoRQ | ResponseBit

	// ResponseBit turns the field of a request into that of its response.
	ResponseBit uint16 = 0x8000
)

// Values of Command.DataSetType. Any value but NoDataSet means that a data set
// follows; implementations send 0000, 0001 and 0102.
const (
	NoDataSet   uint16 = 0x0101
	WithDataSet uint16 = 0x0001
)

// MaxCommand bounds a command set. The largest that the standard has is below
// one kB.
const MaxCommand = 64 << 10

var commandNames = map[uint16]string{
	CStoreRQ: "C-STORE", CGetRQ: "C-GET", CFindRQ: "C-FIND", CMoveRQ: "C-MOVE", CEchoRQ: "C-ECHO",
	NEventReportRQ: "N-EVENT-REPORT", NGetRQ: "N-GET", NSetRQ: "N-SET", NActionRQ: "N-ACTION",
	NCreateRQ: "N-CREATE", NDeleteRQ: "N-DELETE", CCancelRQ: "C-CANCEL",
}

// Command is a DIMSE command set. PS3.7 6.3 and Annex E. Which elements are
// written is decided by Field; other elements are written when they are not
// zero.
type Command struct {
	AffectedSOPClassUID       string
	RequestedSOPClassUID      string
	Field                     uint16 // CEchoRQ and so on
	MessageID                 uint16 // of requests
	MessageIDBeingRespondedTo uint16 // of responses and C-CANCEL
	MoveDestination           string // an AE title, C-MOVE only
	Priority                  uint16 // 0 medium, 1 high, 2 low
	// DataSetType tells whether a data set follows; see HasDataSet. Note that
	// its zero value says yes.
	DataSetType uint16
	Status      uint16 // of responses; see StatusClassOf
	// ErrorComment is the peer's own text, up to 64 characters by the standard.
	ErrorComment            string
	AffectedSOPInstanceUID  string
	RequestedSOPInstanceUID string
	EventTypeID             uint16         // N-EVENT-REPORT
	ActionTypeID            uint16         // N-ACTION
	SubOperations           *SubOperations // of C-MOVE and C-GET responses, nil when absent
	MoveOriginatorAE        string         // C-STORE on behalf of a C-MOVE
	MoveOriginatorMessageID uint16
}

// SubOperations counts what a C-MOVE or C-GET did so far.
type SubOperations struct{ Remaining, Completed, Failed, Warning uint16 }

// IsResponse tells a response from a request by its Field.
func (c *Command) IsResponse() bool { return c.Field&ResponseBit != 0 }

// HasDataSet tells whether a data set follows the command on its context.
func (c *Command) HasDataSet() bool { return c.DataSetType != NoDataSet }

// Name gives "C-ECHO-RQ" or "C-STORE-RSP", or "command 1234" (hexadecimal) for
// a field that the standard does not have.
func (c *Command) Name() string {
	name, ok := commandNames[c.Field&^ResponseBit]
	switch {
	case !ok:
		return fmt.Sprintf("command %04X", c.Field)
	case c.IsResponse():
		return name + "-RSP"
	}
	return name + "-RQ"
}

// OtherCommand is the CommandName of fields that the standard does not have.
const OtherCommand = "other"

// CommandName gives "C-STORE" for the field of a C-STORE-RQ or -RSP, and OtherCommand for a field that the standard does
// not have.
func CommandName(field uint16) string {
	if name, ok := commandNames[field&^ResponseBit]; ok {
		return name
	}
	return OtherCommand
}

// Append adds the command set to dst: group length, then elements in ascending
// order. It becomes a message by AppendPData.
func (c *Command) Append(dst []byte) []byte {
	dst = appendElementHead(dst, tagGroupLength, 4)
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	for _, tag := range elements {
		dst = c.appendElement(dst, tag)
	}
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}
