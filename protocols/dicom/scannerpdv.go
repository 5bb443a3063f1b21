package dicom

import "encoding/binary"

// beginPDV reads the head of a PDV. What must not follow what came before is found here, as Assembler finds it.
func (s *Scanner) beginPDV(b []byte, v Visitor) int {
	if left := s.left + uint32(s.headLen); left < pdvHeadLen {
		s.fail(syntaxErrorf(0, "%d bytes left over in a P-DATA-TF, too few for a PDV", left))
		return 0
	}
	n, whole := s.takeHead(b)
	s.left -= uint32(n)
	if !whole {
		return n
	}
	length := binary.BigEndian.Uint32(s.head[:])
	s.context, s.control = s.head[4], s.head[5]
	isCommand := s.control&pdvCommand != 0
	switch {
	case length < pdvHeadLen-pdvLenSize:
		s.fail(syntaxErrorf(0, "PDV of length %d, at least 2 are needed", length))
	case length-(pdvHeadLen-pdvLenSize) > s.left:
		s.fail(syntaxErrorf(0, "PDV of length %d runs past the end of the P-DATA-TF", length))
	case s.open && !isCommand:
		s.fail(syntaxErrorf(0, "data set fragment inside a command set"))
	case s.open && s.context != s.openContext:
		s.fail(syntaxErrorf(0, "command set changes from context %d to %d", s.openContext, s.context))
	case isCommand && int64(len(s.held))+int64(length) > MaxCommand+pdvHeadLen-pdvLenSize:
		s.fail(syntaxErrorf(0, "command set of more than %d bytes", MaxCommand))
	default:
		s.fragment, s.state = length-(pdvHeadLen-pdvLenSize), inFragment
		s.beginFragment(isCommand, v)
	}
	return n
}

// beginFragment ends it too when it is empty.
func (s *Scanner) beginFragment(isCommand bool, v Visitor) {
	if isCommand {
		s.open, s.openContext = true, s.context
	}
	switch {
	case s.fragment > 0:
	case isCommand:
		s.command(nil, v)
	default:
		s.data(0, v)
	}
}

// data passes n bytes of a data set fragment.
func (s *Scanner) data(n int, v Visitor) {
	last := s.took(n) && s.control&pdvLast != 0
	if n > 0 || last {
		v.Data(s.context, n, last)
	}
}

// command takes bytes of a command fragment, and reads the command when they complete it.
func (s *Scanner) command(b []byte, v Visitor) {
	if !s.took(len(b)) || s.control&pdvLast == 0 {
		s.held = append(s.held, b...)
		return
	}
	if len(s.held) > 0 {
		b = append(s.held, b...)
	}
	s.held, s.open = nil, false
	r := blurredReaders.Get().(*commandReader)
	if err := r.read(b); err != nil {
		s.fail(err)
	} else {
		v.Command(s.context, r.c)
	}
	blurredReaders.Put(r)
}

// took moves on by n bytes of the fragment; true when they were its last.
func (s *Scanner) took(n int) bool {
	s.fragment -= uint32(n)
	s.left -= uint32(n)
	switch {
	case s.fragment > 0:
		return false
	case s.left > 0:
		s.state = atPDV
	default:
		s.state = atPDU
	}
	return true
}
