package main

import (
	"fmt"
	"strings"

	"gantry/protocols/mllp"
)

// The messages of the HL7 loads have all in fixed places, so that neither end has to look for anything: in front MSH
// with the size of the message in MSH-8 and its control id in MSH-10, behind it a patient and text.
const (
	controlIDLen = 10
	sizeLen      = 8
	headOfMSH    = `MSH|^~\&|BENCH|WARD|ENGINE|HOSPITAL|20260101120000|`
	sizeAt       = 1 + len(headOfMSH) // in the frame
	kindOfMSH    = `|ADT^A08^ADT_A01|`
	controlIDAt  = sizeAt + sizeLen + len(kindOfMSH)
	frontLen     = controlIDAt + controlIDLen // that the receiver reads of a message
	framing      = 3
)

// message is a frame with a message of size bytes of one of the clients; the control id is to be filled in.
func message(size, client int) []byte {
	front := fmt.Sprintf("%s%0*d%s%0*d|P|2.5.1\rPID|1||ZZ-GANTRY-%d^^^BENCH^MR||SIMULATED^PATIENT||19700101|O\rOBX|1|TX|REPORT||",
		headOfMSH, sizeLen, size, kindOfMSH, controlIDLen, 0, client)
	text := strings.Repeat("No finding. ", size/12+1)[:max(size-len(front)-1, 0)]
	return mllp.Append(nil, []byte(front+text+"\r"))
}

const (
	headOfACK  = `MSH|^~\&|ENGINE|HOSPITAL|BENCH|WARD|20260101120000||ACK^A08^ACK|`
	betweenIDs = "|P|2.5.1\rMSA|AA|"
	ackIDAt    = 1 + len(headOfACK)
	ackAgainAt = ackIDAt + controlIDLen + len(betweenIDs)
)

// acknowledgement is the frame that answers a message; its control id and MSA-2 are to be filled in.
func acknowledgement() []byte {
	blank := strings.Repeat("0", controlIDLen)
	return mllp.Append(nil, []byte(headOfACK+blank+betweenIDs+blank+"\r"))
}

// fillAnswer fills a control id into an acknowledgement.
func fillAnswer(ack, id []byte) {
	copy(ack[ackIDAt:], id)
	copy(ack[ackAgainAt:], id)
}

// digits writes a number into all of b.
func digits(b []byte, n int) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
}

// numberIn reads such a number; -1 when it is none.
func numberIn(b []byte) (n int) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}
