// Package mllp reads and writes the frames that HL7 messages travel in
// (Minimal Lower Layer Protocol, release 1): bytes in, messages out.
//
//	0B  message, segments ending with 0D  1C 0D
//	VT                                    FS CR
//
// A frame has no length and no escape, so its end has to be looked for. What is
// written here is exact, always; what is read may be odd, because real senders
// are, and Decoder says for each oddity what it makes of it. The one thing that
// never happens is that two messages become one, or that half a message passes
// for a whole one: that loses data behind an acknowledgement.
//
// Release 2 of the protocol adds frames of one byte, 06 (stored) and 15 (not
// stored), as commit answers: see IsCommit.
//
// Framing by single bytes is sound for all 8-bit and East Asian character sets
// that HL7 allows, and unsound for UTF-16 and UTF-32, which are refused.
package mllp
