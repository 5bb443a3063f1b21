package dicomfind

import (
	"context"
	"fmt"
	"net"

	"gantry/negotiate"
	"gantry/negotiate/internal/dicomtalk"
)

// probe is one configured search. It is safe for several conversations at once.
type probe struct {
	caller *dicomtalk.Caller
	query  dicomtalk.Query
	least  int // matches that must be found; 0 = none can exist
}

var _ negotiate.Narrator = (*probe)(nil)

// Negotiate holds one conversation: associate, search, release.
func (p *probe) Negotiate(ctx context.Context, conn net.Conn) error {
	return p.caller.Hold(ctx, conn, func(t *dicomtalk.Talk) *negotiate.Fault { return p.ask(ctx, t) })
}

// Narrate puts a conversation into words.
func (p *probe) Narrate(chunks []negotiate.Chunk) []negotiate.Passage {
	return dicomtalk.Narrate(chunks)
}

// ask searches and judges what was found.
func (p *probe) ask(ctx context.Context, t *dicomtalk.Talk) *negotiate.Fault {
	found, fault := t.Find(p.query)
	switch {
	case fault != nil || found.Refused:
		return fault
	case found.Strays > 0 && p.least == 0:
		negotiate.Degrade(ctx, t.Mismatch("finds what cannot exist: it ignores the search key, so that a search for one patient may bring all"+endless(found)))
	case found.Matches < p.least:
		return t.Mismatch(p.missing(found))
	case found.Strays > 0:
		negotiate.Degrade(ctx, t.Mismatch("finds what was asked for, and other entries beside it: it ignores the search key"+endless(found)))
	}
	return nil
}

func endless(found dicomtalk.Found) string {
	if found.Endless {
		return "; nor does it stop when the search is cancelled"
	}
	return ""
}

// missing says what should have been found. It names no identifier: that of a study or patient is nobody's business.
func (p *probe) missing(found dicomtalk.Found) string {
	switch {
	case found.Strays > 0:
		return "does not find what must be there, but other entries: it ignores the search key"
	case found.Matches == 0:
		return "answers the search with success but does not find what must be there: an empty or wrong database is mounted, or the test entry was deleted"
	default:
		return fmt.Sprintf("finds only %d of at least %d entries that must be there: a part of the database is missing, or test entries were deleted",
			found.Matches, p.least)
	}
}
