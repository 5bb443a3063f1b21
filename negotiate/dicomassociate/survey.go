package dicomassociate

import (
	"context"
	"net"
	"time"

	"gantry/negotiate"
	"gantry/negotiate/internal/dicomtalk"
)

// Survey asks a server a question, in as few associations as it takes, one after the other.
type Survey struct {
	Question
	// Check says how to reach the server: Address, Dial, TLS, and Timeout for each association. Its Prober is not used.
	Check negotiate.Check
	// Target names the server in sentences, and Gantry's own version.
	Target negotiate.Target
	// CalledAE and CallingAE are AE titles; empty = those of checks, ANY-SCP and GANTRY.
	CalledAE, CallingAE string
	// Pause is left between two associations.
	Pause time.Duration
	// KeepGoing makes it go on behind an association that failed. By itself it stops there: a server that rejects one
	// rejects the next as well, and each leaves lines in its log.
	KeepGoing bool
	// MaxContexts bounds the contexts of one association, for servers that take fewer than others; 0 = MaxContexts.
	MaxContexts int
}

// Run carries the survey out. The conversations are kept as transcripts where ctx asks for that.
func (s Survey) Run(ctx context.Context) Result {
	peer := dicomtalk.NewPeer(s.Target, s.CalledAE, s.CallingAE)
	result := Result{Called: peer.Called, Calling: peer.Calling}
	var odd oddities
	stopped := false
	for i, r := range plan(s.Question, s.MaxContexts) {
		stopped = stopped || i > 0 && !wait(ctx, s.Pause)
		if stopped {
			result.Pairs = append(result.Pairs, all(r, NotAsked)...)
			continue
		}
		asked := &asking{proposer: dicomtalk.NewProposer(peer, r.Proposal)}
		check := s.Check
		check.Prober = asked
		a := Association{Result: negotiate.Run(ctx, check), Proposed: len(r.pairs), Opened: asked.accepted.AssociateAC != nil}
		pairs := all(r, Lost)
		if a.Opened {
			pairs = read(r, asked.accepted.AssociateAC)
			odd.look(peer, r, asked.accepted)
			result.learn(factsOf(r, asked.accepted.AssociateAC), &odd)
		}
		a.Accepted = count(pairs, Accepted)
		result.Pairs = append(result.Pairs, pairs...)
		result.Associations = append(result.Associations, a)
		stopped = a.Fault != nil && !s.KeepGoing
	}
	result.Odd = odd.list
	return result
}

// learn adds what one association says to what the earlier ones said.
func (r *Result) learn(f Facts, odd *oddities) {
	if r.Facts == nil {
		r.Facts = &f
		return
	}
	if r.Facts.another(f) {
		odd.note("answers as another implementation than before: several servers stand behind this address, and the answers are a mixture")
	}
	r.Facts.merge(f)
}

// wait returns false when ctx ends first.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// all gives every pair of a request the same answer.
func all(r request, a Answer) []PairResult {
	results := make([]PairResult, len(r.pairs))
	for i, p := range r.pairs {
		results[i] = PairResult{Pair: p, Answer: a}
	}
	return results
}

// asking is one association of a survey. It is used for one conversation.
type asking struct {
	proposer *dicomtalk.Proposer
	accepted dicomtalk.Accepted
}

var _ negotiate.Narrator = (*asking)(nil)

// Negotiate holds the conversation: associate, keep the answer, release.
func (a *asking) Negotiate(ctx context.Context, conn net.Conn) error {
	return a.proposer.Hold(ctx, conn, func(ac dicomtalk.Accepted) *negotiate.Fault {
		a.accepted = ac
		return nil
	})
}

// Narrate puts the conversation into words.
func (a *asking) Narrate(chunks []negotiate.Chunk) []negotiate.Passage {
	return dicomtalk.Narrate(chunks)
}
