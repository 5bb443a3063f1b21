package dicom

import (
	"errors"
	"math"

	"gantry/protocols"
)

// Visitor is told what a Scanner finds, in the order of the wire and during Feed or Skip. What is handed over is
// valid during the call only.
type Visitor interface {
	// PDU is the head of every PDU; length is what follows the head, in bytes: within the limits of CheckLength, but
	// for P-DATA-TF without an upper one.
	PDU(t PDUType, length uint32)
	// Whole is a whole PDU of any type but P-DATA-TF, header included.
	Whole(t PDUType, pdu []byte)
	// Command is a whole command set. Instance UIDs and the error comment are left out: an observer has no
	// business with them.
	Command(contextID byte, c *Command)
	// Data says that n bytes of a data set passed; how a data set is cut into calls depends on how it came. last
	// marks its end, which may come with 0 bytes.
	Data(contextID byte, n int, last bool)
}

// Scanner follows one direction of an association that passes by in pieces of any size. It keeps no data sets: its
// memory is bounded by MaxAssociatePDU for an association PDU and by MaxCommand for a command set that come in
// pieces, and is given back when they are complete. The zero value is ready for use, and expects a PDU to begin.
//
// A P-DATA-TF may have any length: the one that its receiver announced is between the two ends, and 0 announces no limit.
type Scanner struct {
	// Accepted tells that the association PDUs have passed. Others that follow have no place here: they are stepped over
	// without a Whole, so that MaxCommand bounds the memory.
	Accepted bool

	err      *protocols.SyntaxError
	held     []byte // beginning of a command set or of a PDU that is put together
	passed   int64  // bytes, for errors
	left     uint32 // bytes of the PDU that are to come
	fragment uint32 // bytes of the PDV that are to come
	head     [HeaderLen]byte
	headLen  uint8 // bytes of head that are there
	state    scanState
	pdu      PDUType
	context  byte
	control  byte
	// command is open from its first fragment to its last.
	open        bool
	openContext byte
	resynced    bool
}

type scanState uint8

const (
	atPDU      scanState = iota // a head of a PDU, or its beginning
	inPDU                       // inside a PDU that is put together
	atPDV                       // a head of a PDV, or its beginning
	inFragment                  // inside a fragment
	blind
	lost
)

// Boundary tells whether the next byte begins a PDU. It is not known while the Scanner is Blind or has an Err.
func (s *Scanner) Boundary() (at, known bool) {
	return s.state == atPDU && s.headLen == 0, s.state < blind
}

// Blind tells that bytes passed unseen and the Scanner does not know where in the stream it is. It waits for Resync.
func (s *Scanner) Blind() bool { return s.state == blind }

// Err is the first *protocols.SyntaxError; its Offset is the number of bytes of the stream up to the end of what is wrong.
// From then on the Scanner is lost: there are no more events.
func (s *Scanner) Err() error {
	if s.err == nil {
		return nil
	}
	return s.err
}

// Resync tells a Blind Scanner that the next byte begins a PDU. Such knowledge is inferred, and a peer that answers
// a message before its end makes it wrong: from now on nonsense makes the Scanner Blind again, and not lost.
func (s *Scanner) Resync() {
	if s.state == blind {
		s.state, s.resynced = atPDU, true
	}
}

// Feed takes the next bytes of the stream.
func (s *Scanner) Feed(b []byte, v Visitor) {
	for len(b) > 0 && s.state < blind {
		n := s.step(b, v)
		s.passed += int64(n)
		b = b[n:]
		if s.err != nil {
			s.err.Offset = int(s.passed)
		}
	}
}

// Skip takes note of n bytes of the stream that nobody saw. Within the data set fragment that is under way they are
// as good as seen; otherwise the Scanner becomes Blind.
func (s *Scanner) Skip(n int, v Visitor) {
	if n <= 0 || s.state >= blind {
		return
	}
	s.passed += int64(n)
	if s.state != inFragment || s.control&pdvCommand != 0 || int64(n) > int64(s.fragment) {
		s.goBlind()
		return
	}
	s.data(n, v)
}

func (s *Scanner) goBlind() {
	*s = Scanner{Accepted: s.Accepted, state: blind, passed: s.passed, resynced: s.resynced}
}

func (s *Scanner) fail(err error) {
	if s.resynced {
		s.goBlind()
		return
	}
	*s = Scanner{Accepted: s.Accepted, state: lost, passed: s.passed}
	errors.As(err, &s.err)
}

// step takes one thing off the stream, or a part of it, and returns its length.
func (s *Scanner) step(b []byte, v Visitor) int {
	switch s.state {
	case atPDU:
		return s.beginPDU(b, v)
	case inPDU:
		return s.collect(b, v)
	case atPDV:
		return s.beginPDV(b, v)
	}
	n := int(min(uint64(len(b)), uint64(s.fragment)))
	if s.control&pdvCommand != 0 {
		s.command(b[:n], v)
	} else {
		s.data(n, v)
	}
	return n
}

// takeHead adds to the head; whole tells that all of it is there.
func (s *Scanner) takeHead(b []byte) (n int, whole bool) {
	n = copy(s.head[s.headLen:], b)
	s.headLen += uint8(n)
	if s.headLen < HeaderLen {
		return n, false
	}
	s.headLen = 0
	return n, true
}

func (s *Scanner) beginPDU(b []byte, v Visitor) int {
	n, whole := s.takeHead(b)
	seen := HeaderLen
	if !whole {
		seen = int(s.headLen)
	}
	t, length, err := DecodeHeader(s.head[:seen])
	switch {
	case errors.Is(err, protocols.ErrShort):
		return n
	case err == nil:
		err = s.checkHead(t, length)
	}
	if err != nil {
		s.fail(err)
		if !t.Valid() {
			return 1
		}
		return n
	}
	s.pdu, s.left, s.state = t, length, inPDU
	if t == TypeData {
		s.state = atPDV
	} else { // it cuts off the command set that has not ended
		s.held, s.open = nil, false
	}
	v.PDU(t, length)
	switch end := HeaderLen + int(length); {
	case t == TypeData:
	case s.Accepted && associates(t): // collected without being kept
	case n == HeaderLen && len(b) >= end: // all in one piece: nothing to copy
		s.state, s.left = atPDU, 0
		v.Whole(t, b[:end:end])
		return end
	default:
		s.held = append(s.held, s.head[:]...)
	}
	return n
}

// collect puts a PDU together that came in pieces.
func (s *Scanner) collect(b []byte, v Visitor) int {
	n := min(len(b), int(s.left))
	kept := !s.Accepted || !associates(s.pdu)
	if kept {
		s.held = append(s.held, b[:n]...)
	}
	if s.left -= uint32(n); s.left == 0 {
		pdu := s.held
		s.held, s.state = nil, atPDU
		if kept {
			v.Whole(s.pdu, pdu)
		}
	}
	return n
}

// associates tells the PDUs of variable length that an association begins with.
func associates(t PDUType) bool { return t == TypeAssociateRQ || t == TypeAssociateAC }

// checkHead looks at the head that is in s.head. After a Resync it may be anything, pixels for example, so that only
// what is likely counts: a PDU of an accepted association, its reserved byte zero as all senders have it, of no absurd
// length.
func (s *Scanner) checkHead(t PDUType, length uint32) error {
	switch {
	case s.resynced && (t < TypeData || s.head[1] != 0):
		return syntaxErrorf(0, "no PDU begins here")
	case t == TypeData && !s.resynced:
		return CheckLength(t, length, math.MaxUint32)
	}
	return CheckLength(t, length, 0)
}
