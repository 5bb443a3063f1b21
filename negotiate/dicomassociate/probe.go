package dicomassociate

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"

	"gantry/negotiate"
	"gantry/negotiate/internal/dicomtalk"
	"gantry/protocols/dicom"
)

// probe is one configured expectation. It is safe for several conversations at once.
type probe struct {
	request  request
	wants    []want
	proposer *dicomtalk.Proposer
}

var _ negotiate.Narrator = (*probe)(nil)

// Negotiate holds one conversation: associate, compare with what is expected, release.
func (p *probe) Negotiate(ctx context.Context, conn net.Conn) error {
	return p.proposer.Hold(ctx, conn, func(ac dicomtalk.Accepted) *negotiate.Fault { return p.judge(ctx, ac.AssociateAC) })
}

// Narrate puts a conversation into words.
func (p *probe) Narrate(chunks []negotiate.Chunk) []negotiate.Passage {
	return dicomtalk.Narrate(chunks)
}

// judge: all that is expected is there, or a part of it (degraded), or nothing (a fault).
func (p *probe) judge(ctx context.Context, ac *dicom.AssociateAC) *negotiate.Fault {
	if len(ac.Results) == 0 {
		return &negotiate.Fault{Stage: negotiate.StageOpen, Reason: negotiate.ReasonMismatch,
			Sentence: "accepts the association but answers no presentation context at all: its DICOM software is broken"}
	}
	answers := map[Pair]PairResult{}
	for _, a := range read(p.request, ac) {
		answers[a.Pair] = a
	}
	var missing []lack
	for _, w := range p.wants {
		l, ok := w.missing(answers)
		if ok && !granted(p.request.Roles, ac.Roles, w.class) {
			l, ok = lack{w.String(), "the role of SCP, which C-GET needs, is not granted", true}, false
		}
		if !ok {
			missing = append(missing, l)
		}
	}
	switch len(missing) {
	case 0:
		return nil
	case len(p.wants):
		return p.fault(missing, "accepts the association and refuses all that is expected in it: ")
	}
	negotiate.Degrade(ctx, p.fault(missing, fmt.Sprintf("accepts only %d of the %d that are expected, and not ", len(p.wants)-len(missing), len(p.wants))))
	return nil
}

// granted tells whether the role that was proposed for a class was accepted, if there was one.
func granted(asked, got []dicom.Role, class string) bool {
	same := func(r dicom.Role) bool { return r.SOPClassUID == class }
	if !slices.ContainsFunc(asked, same) {
		return true
	}
	i := slices.IndexFunc(got, same)
	return i >= 0 && got[i].SCP
}

// lack is something expected that is not there, and why.
type lack struct {
	what, why string
	odd       bool // not refused in the way of the standard
}

// missing finds out whether the want is met: ok.
func (w want) missing(answers map[Pair]PairResult) (l lack, ok bool) {
	for _, ts := range w.syntaxes {
		a := answers[Pair{w.class, ts}]
		if a.Answer == Accepted {
			return lack{}, true
		}
		l = lack{w.String(), a.Words(), a.Answer != Refused}
	}
	return l, false
}

// fault names the first few of what is missing, and each reason once.
func (p *probe) fault(missing []lack, what string) *negotiate.Fault {
	f := &negotiate.Fault{Stage: negotiate.StageOpen, Reason: negotiate.ReasonRejected}
	var names, why, said []string
	for _, m := range missing {
		names = append(names, m.what)
		if m.odd {
			f.Reason = negotiate.ReasonMismatch
		} else if !slices.Contains(said, m.why) {
			said = append(said, m.why)
		}
		if !slices.Contains(why, m.why) {
			why = append(why, m.why)
		}
	}
	peer := p.proposer.Peer()
	f.Peer = negotiate.PeerWords(strings.Join(said, "; "))
	f.Sentence = fmt.Sprintf("%s%s (%s): switched off on %s, lost in an upgrade, or not allowed for '%s'",
		what, some(names), some(why), peer.Server, peer.Calling)
	return f
}
