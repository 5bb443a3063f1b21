package mllp

import (
	"bytes"
	"fmt"

	"gantry/protocols"
)

// The three bytes of the protocol.
const (
	StartBlock byte = 0x0B // VT
	EndBlock   byte = 0x1C // FS
	Trailer    byte = 0x0D // CR
)

// Limits of a Decoder.
const (
	// DefaultMaxMessage holds observation reports with embedded PDF files.
	DefaultMaxMessage = 16 << 20
	// MaxJunk bounds the bytes between two frames that belong to no frame. A
	// peer that exceeds it does not speak MLLP.
	MaxJunk = 64 << 10
)

// Payloads of the commit answers of release 2.
const (
	CommitAck byte = 0x06 // the message is stored
	CommitNak byte = 0x15 // it is not; send it again
)

// IsCommit tells whether a message is a commit answer of release 2, which is
// not HL7 and must not be parsed as such.
func IsCommit(msg []byte) bool {
	return len(msg) == 1 && (msg[0] == CommitAck || msg[0] == CommitNak)
}

// Append adds one frame around msg to dst. Write the result in one piece: some
// receivers take what one read returns for the whole answer. The message must
// not contain EndBlock; Encodable tells.
func Append(dst, msg []byte) []byte {
	dst = append(dst, StartBlock)
	dst = append(dst, msg...)
	return append(dst, EndBlock, Trailer)
}

// Encodable tells whether a message can be framed: one that contains EndBlock
// would end there for its receiver.
func Encodable(msg []byte) bool { return bytes.IndexByte(msg, EndBlock) < 0 }

// DecodeFrame reads the first frame of b with a fresh Decoder: use it where a
// whole frame is likely to be there, a Decoder where large ones arrive piece by
// piece. Results are those of Decoder.Next.
func DecodeFrame(b []byte, max int) (msg []byte, n int, err error) {
	d := Decoder{Max: max}
	return d.Next(b)
}

func syntaxErrorf(offset int, format string, args ...any) error {
	return &protocols.SyntaxError{Proto: "mllp", Offset: offset, Msg: fmt.Sprintf(format, args...)}
}
