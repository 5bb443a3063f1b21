package dicomgate

import (
	"fmt"
	"strings"

	"gantry/protocols/dicom"
)

// String gives "C-STORE 60 (58 success, 2 failure A700), 58 objects", or "no operations".
func (s Summary) String() string {
	var parts []string
	for _, o := range s.Operations {
		parts = append(parts, s.operation(o))
	}
	if len(parts) == 0 {
		return "no operations"
	}
	if s.Stored > 0 {
		parts = append(parts, count(s.Stored, "object", "objects"))
	}
	if s.Sent > 0 {
		parts = append(parts, count(s.Sent, "object", "objects")+" to the client")
	}
	if s.Matches > 0 {
		parts = append(parts, count(s.Matches, "match", "matches"))
	}
	if s.Sub != (SubTotals{}) {
		parts = append(parts, "sub-operations "+list(
			part{s.Sub.Completed, "completed"}, part{s.Sub.Failed, "failed"}, part{s.Sub.Warning, "warning"}))
	}
	return strings.Join(parts, ", ")
}

// Attributes are what a log line says about the association: keys and values in turn, numbers and words only.
func (a *Association) Attributes() []any {
	attrs := []any{"operations", a.Summary().String(), "ending", a.Ending()}
	for _, side := range []Side{Client, Server} {
		if err := a.Trouble(side); err != nil {
			attrs = append(attrs, side.String()+"_sent", err.Error())
		}
	}
	return attrs
}

// operation gives "C-STORE 60 (58 success, 2 failure A700)".
func (s Summary) operation(o Operation) string {
	name := dicom.CommandName(o.Command)
	if o.Command == 0 {
		name = "other commands"
	}
	if o.Performer == Client {
		name += " to the client"
	}
	finals := o.Finals()
	open := uint32(0)
	if o.Requests > finals {
		open = o.Requests - finals
	}
	return fmt.Sprintf("%s %d (%s)", name, finals+open, list(
		part{o.Responses[dicom.ClassSuccess], "success"},
		part{o.Responses[dicom.ClassWarning], "warning"},
		part{o.Responses[dicom.ClassFailure], "failure" + s.statuses(o)},
		part{o.Responses[dicom.ClassCancel], "cancelled"},
		part{open, "unanswered"}))
}

// statuses gives " A700 0110" for the failures of an operation.
func (s Summary) statuses(o Operation) string {
	var b strings.Builder
	for _, f := range s.Failures {
		if f.Performer == o.Performer && f.Command == o.Command {
			fmt.Fprintf(&b, " %04X", f.Status)
		}
	}
	return b.String()
}

// part is a number and what it counts.
type part struct {
	n    uint32
	what string
}

// list gives the parts that are not zero.
func list(parts ...part) string {
	var b strings.Builder
	for _, p := range parts {
		if p.n == 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%d %s", p.n, p.what)
	}
	return b.String()
}

func count(n uint32, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
