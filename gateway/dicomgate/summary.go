package dicomgate

import (
	"slices"

	"gantry/protocols/dicom"
)

// Bounds on what a Summary tells apart.
const (
	maxOperations = 16 // commands by performer; further ones are summed up under the number 0
	maxFailures   = 4  // distinct failure statuses
)

// Summary is what was done in an association, in numbers.
type Summary struct {
	Operations []Operation // in the order in which they were met
	Stored     uint32      // objects that the server has taken (C-STORE, success or warning)
	Sent       uint32      // objects that the client has taken (C-GET)
	Matches    uint32      // pending responses of C-FIND
	// Sub sums up the counters of C-MOVE and C-GET, the last ones of each operation.
	Sub      SubTotals
	Failures []Failure // the first distinct ones, 4 at most
}

// Operation counts what one side performed of one command.
type Operation struct {
	Performer Side
	Command   uint16 // dicom.CStoreRQ and so on; 0 stands for all others
	// Requests that were seen; there may have been more.
	Requests uint32
	// Responses by dicom.StatusClass.
	Responses [dicom.ClassPending + 1]uint32
}

// Finals counts the final responses.
func (o Operation) Finals() uint32 {
	return o.Responses[dicom.ClassSuccess] + o.Responses[dicom.ClassWarning] +
		o.Responses[dicom.ClassFailure] + o.Responses[dicom.ClassCancel]
}

// SubTotals counts sub-operations.
type SubTotals struct{ Completed, Failed, Warning uint32 }

func (s *SubTotals) add(o dicom.SubOperations) {
	s.Completed += uint32(o.Completed)
	s.Failed += uint32(o.Failed)
	s.Warning += uint32(o.Warning)
}

// Failure counts one failure status of one operation.
type Failure struct {
	Performer Side
	Command   uint16
	Status    uint16
	Count     uint32
}

// tally is the Summary while it grows.
type tally struct {
	operations            []Operation
	stored, sent, matches uint32
	subs                  SubTotals
	under                 dicom.SubOperations // last counters of the operation that has not ended
	underID               uint16              // its message ID
	failed                uint8               // of failures
	failures              [maxFailures]Failure
}

// of finds the counts of a command, or begins them.
func (t *tally) of(performer Side, command uint16) *Operation {
	if dicom.CommandName(command) == dicom.OtherCommand {
		command = 0
	}
	i := slices.IndexFunc(t.operations, func(o Operation) bool {
		return o.Performer == performer && o.Command == command
	})
	switch {
	case i >= 0:
	case len(t.operations) >= maxOperations && command != 0:
		return t.of(performer, 0)
	default:
		i = len(t.operations)
		t.operations = append(t.operations, Operation{Performer: performer, Command: command})
	}
	return &t.operations[i]
}

func (t *tally) add(r Response, messageID uint16) {
	t.of(r.From, r.Command).Responses[r.Class]++
	switch {
	case r.Objects > 0 && r.From == Server:
		t.stored++
	case r.Objects > 0:
		t.sent++
	case r.Command == dicom.CFindRQ && !r.Final():
		t.matches++
	case r.Command == dicom.CMoveRQ, r.Command == dicom.CGetRQ:
		t.addSubs(r, messageID)
	}
	if r.Class == dicom.ClassFailure {
		t.addFailure(r)
	}
}

// addSubs keeps the counters of pending responses until the final one, which has the last word if it has any. Of several
// operations at a time the one that spoke last is kept.
func (t *tally) addSubs(r Response, messageID uint16) {
	switch own := messageID == t.underID; {
	case !r.Final() && r.Sub != nil:
		t.under, t.underID = *r.Sub, messageID
	case r.Final():
		if r.Sub != nil {
			t.subs.add(*r.Sub)
		} else if own {
			t.subs.add(t.under)
		}
		if own {
			t.under = dicom.SubOperations{}
		}
	}
}

func (t *tally) addFailure(r Response) {
	for i := range t.failures[:t.failed] {
		if f := &t.failures[i]; f.Performer == r.From && f.Command == r.Command && f.Status == r.Status {
			f.Count++
			return
		}
	}
	if t.failed < maxFailures {
		t.failures[t.failed] = Failure{r.From, r.Command, r.Status, 1}
		t.failed++
	}
}

// Summary tells what was done so far.
func (a *Association) Summary() Summary {
	t := &a.sum
	s := Summary{
		Operations: slices.Clone(t.operations), Stored: t.stored, Sent: t.sent, Matches: t.matches,
		Sub: t.subs, Failures: slices.Clone(t.failures[:t.failed]),
	}
	s.Sub.add(t.under)
	return s
}
