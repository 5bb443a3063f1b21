package xdsregistry

import (
	"context"
	"fmt"
	"net"

	"gantry/negotiate"
	"gantry/negotiate/internal/soaptalk"
	"gantry/protocols/xds"
)

// probe is one configured question. It is not changed after it was built.
type probe struct {
	*soaptalk.Caller
	query   xds.StoredQuery
	patient bool // the query is about the test patient
	least   int  // documents that must be found
}

var _ negotiate.Narrator = (*probe)(nil)

// Negotiate asks the stored query.
func (p *probe) Negotiate(ctx context.Context, conn net.Conn) error {
	r, fault := p.Ask(ctx, conn, soaptalk.Question{Request: p.query, Answer: "AdhocQueryResponse"})
	if fault == nil && r != nil {
		fault = p.judge(ctx, r)
	}
	if fault != nil {
		return fault
	}
	return nil
}

func (p *probe) judge(ctx context.Context, r *xds.Response) *negotiate.Fault {
	if fault := p.Judge(ctx, r, p.refuse); fault != nil {
		return fault
	}
	switch {
	case r.Status != xds.StatusSuccess && r.Status != xds.StatusPartialSuccess:
		return nil
	case r.Objects < p.least:
		return mismatch(r, fmt.Sprintf("finds %s of the test patient where at least %d are expected: an empty, restored or wrong database",
			documents(r.Objects), p.least))
	case !p.patient && r.Objects > 0:
		return mismatch(r, fmt.Sprintf("finds %s for an id that nobody has issued: it does not look at the question, or mixes up answers",
			documents(r.Objects)))
	}
	return nil
}

// refuse: where documents are expected, a patient who is not known is as bad as none.
func (p *probe) refuse(code string) string {
	if p.least > 0 && code == xds.CodeUnknownPatientID {
		return "does not know the test patient (XDSUnknownPatientId): an empty, restored or wrong database"
	}
	return ""
}

func mismatch(r *xds.Response, sentence string) *negotiate.Fault {
	return &negotiate.Fault{Stage: negotiate.StageAsk, Reason: negotiate.ReasonMismatch, Peer: r.Status.String(), Sentence: sentence}
}

func documents(n int) string {
	if n == 1 {
		return "1 document"
	}
	return fmt.Sprintf("%d documents", n)
}
