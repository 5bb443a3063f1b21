package xdsrepository

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
	settings Settings
	request  xds.Retrieve
}

var _ negotiate.Narrator = (*probe)(nil)

// Negotiate asks for the document.
func (p *probe) Negotiate(ctx context.Context, conn net.Conn) error {
	r, fault := p.Ask(ctx, conn, soaptalk.Question{Request: p.request, Answer: "RetrieveDocumentSetResponse"})
	if fault == nil && r != nil {
		fault = p.judge(ctx, r)
	}
	if fault != nil {
		return fault
	}
	return nil
}

func (p *probe) judge(ctx context.Context, r *xds.Response) *negotiate.Fault {
	fault := p.Judge(ctx, r, p.refuse)
	switch {
	case fault != nil, r.Status != xds.StatusSuccess && r.Status != xds.StatusPartialSuccess:
		return fault
	case p.settings.DocumentUID != "":
		return p.delivered(r)
	case len(r.Documents) > 0:
		return mismatch(r, "delivers a document under an id that nobody has issued: it does not look at the question, or mixes up answers")
	}
	if r.Status == xds.StatusSuccess {
		negotiate.Warn(ctx, mismatch(r, "reports Success for a document that does not exist, and delivers none: clients cannot tell that it is missing"))
	}
	return nil
}

// refuse turns the refusals that are healthy for an impossible question into faults where the
// question was a possible one.
func (p *probe) refuse(code string) string {
	switch {
	case code == xds.CodeUnknownRepositoryID && p.settings.RepositoryUID != "":
		return "does not know its own id (XDSUnknownRepositoryId for repository_uid " + p.settings.RepositoryUID +
			"): its configuration has changed, or another repository answers here"
	case p.settings.DocumentUID == "":
		return ""
	case code == xds.CodeDocumentUniqueID:
		return "does not have the test document (XDSDocumentUniqueIdError): an empty, restored or wrong store"
	default:
		return "refuses the test document (" + code + ")"
	}
}

// delivered looks at the test document.
func (p *probe) delivered(r *xds.Response) *negotiate.Fault {
	for _, d := range r.Documents {
		if d.ID == p.settings.DocumentUID {
			return p.measure(r, d)
		}
	}
	if len(r.Documents) > 0 {
		return mismatch(r, "delivers another document than the test document: it mixes up answers")
	}
	return mismatch(r, "reports "+r.Status.String()+", but does not deliver the test document: its store cannot be read")
}

// measure compares the content with what is known of it.
func (p *probe) measure(r *xds.Response, d xds.Document) *negotiate.Fault {
	s := &p.settings
	switch {
	case d.Problem != "":
		return mismatch(r, "delivers the test document, but it "+d.Problem+": its store cannot be read, or its software is broken")
	case d.Size == 0:
		return mismatch(r, "delivers the test document without content (0 bytes): its store cannot be read")
	case s.DocumentSize > 0 && d.Size != int64(s.DocumentSize):
		return mismatch(r, fmt.Sprintf("delivers the test document with %d bytes where %d are expected: it is cut off, or another one", d.Size, s.DocumentSize))
	case s.DocumentSHA1 != "" && d.SHA1 != s.DocumentSHA1:
		return mismatch(r, "delivers the test document, but its content has changed (SHA-1 does not match): its store is damaged, or it is another document")
	}
	return nil
}

func mismatch(r *xds.Response, sentence string) *negotiate.Fault {
	return &negotiate.Fault{Stage: negotiate.StageAsk, Reason: negotiate.ReasonMismatch, Peer: r.Status.String(), Sentence: sentence}
}
