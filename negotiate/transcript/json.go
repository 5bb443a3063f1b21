package transcript

import (
	"encoding/hex"
	"time"

	"gantry/negotiate"
)

// Passage is a passage for programs. Exactly one of Text and Hex is used; in both, masked bytes are replaced by "*"
// (2a), and Masked tells where.
type Passage struct {
	Sent   bool     `json:"sent"`             // by gantry; false = by the server
	AtMS   float64  `json:"at_ms"`            // since the start of the check
	Title  string   `json:"title"`            // "A-ASSOCIATE-RQ, 186 bytes"
	Notes  []string `json:"notes"`            // what is in it, one fact each
	Text   string   `json:"text,omitempty"`   // bytes that are text; what is not UTF-8 is replaced
	Hex    string   `json:"hex,omitempty"`    // other bytes, two digits each
	Masked [][2]int `json:"masked,omitempty"` // ranges of bytes, the first inclusive, the second exclusive
	More   int      `json:"more,omitempty"`   // bytes that are not shown
}

// Of returns passages for programs. It is never nil, so that JSON has a list.
func Of(passages []negotiate.Passage) []Passage {
	out := make([]Passage, 0, len(passages))
	for _, p := range passages {
		out = append(out, passageOf(p))
	}
	return out
}

func passageOf(p negotiate.Passage) Passage {
	o := Passage{Sent: p.Sent, AtMS: Milliseconds(p.At), Title: p.Title, Notes: append([]string{}, p.Notes...), More: p.More}
	if p.Text {
		o.Text = string(p.Bytes)
	} else {
		o.Hex = hex.EncodeToString(p.Bytes)
	}
	for _, m := range p.Masked {
		o.Masked = append(o.Masked, [2]int{m.From, m.To})
	}
	return o
}

// Milliseconds is a duration as a number of milliseconds, to the microsecond.
func Milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
