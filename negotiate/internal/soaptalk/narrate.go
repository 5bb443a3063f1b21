package soaptalk

import (
	"bytes"
	"fmt"
	"net/textproto"
	"slices"
	"strings"

	"gantry/negotiate"
	"gantry/negotiate/internal/httptalk"
	"gantry/protocols/xds"
)

// maxShown is how much of one envelope a transcript shows, in bytes.
const maxShown = 16 << 10

// Narrate tells a conversation: the heads of HTTP, the envelopes with everything masked that
// could be about a patient or a credential, and the lengths of documents.
func (c *Caller) Narrate(chunks []negotiate.Chunk) []negotiate.Passage {
	return httptalk.Narrate(chunks, tell)
}

// tell puts a body into a passage.
func tell(header textproto.MIMEHeader, body []byte) []negotiate.Passage {
	kind, _ := xds.MediaType(header.Get("Content-Type"))
	if !mayBeSOAP(kind) {
		return httptalk.Measured(header, body)
	}
	p, err := xds.ReadPackage(header.Get("Content-Type"), bytes.NewReader(body))
	if len(p.Root) == 0 {
		return httptalk.Measured(header, body)
	}
	told := envelope(p.Root)
	if p.Count > 0 {
		told.Title = fmt.Sprintf("MTOM package, %d bytes, its envelope %d bytes", len(body), len(p.Root))
		told.Notes = append(told.Notes, attachments(p)...)
	}
	if err != nil {
		told.Notes = append(told.Notes, "it is not whole, or not in order")
	}
	return []negotiate.Passage{told}
}

// attachments are told by their size alone.
func attachments(p *xds.Package) []string {
	sizes := make([]int64, 0, len(p.Parts))
	for _, part := range p.Parts {
		sizes = append(sizes, part.Size)
	}
	slices.Sort(sizes)
	notes := make([]string, len(sizes))
	for i, size := range sizes {
		notes[i] = fmt.Sprintf("attached: %d bytes", size)
	}
	return notes
}

// envelope shows the tags and what is known to be harmless.
func envelope(xml []byte) negotiate.Passage {
	shown := xml[:min(len(xml), maxShown)]
	p := negotiate.Passage{Title: fmt.Sprintf("SOAP envelope, %d bytes", len(xml)), Text: true,
		Bytes: bytes.Clone(shown), More: len(xml) - len(shown)}
	mask(&p)
	layout(&p)
	if m, err := xds.ParseMessage(xml); err == nil {
		p.Notes = notes(m)
	} else {
		p.Title = fmt.Sprintf("XML, %d bytes, not a SOAP envelope", len(xml))
	}
	return p
}

// notes are the facts that the verdict rests on.
func notes(m *xds.Message) (notes []string) {
	notes = append(notes, "SOAP "+m.Version+", "+shownName(m.Content))
	if f := m.Fault(); f != nil {
		notes = append(notes, "fault "+shownCodes(f)+", its reason is not shown")
	}
	r := m.Response(nil)
	if r == nil {
		return notes
	}
	notes = append(notes, "status "+r.Status.String())
	for _, e := range r.Errors {
		word := "error "
		if e.Warning {
			word = "warning "
		}
		if len(notes) < maxNotes {
			notes = append(notes, word+shownCode(e.Code)+", group "+xds.GroupOf(e.Code).String())
		}
	}
	if strings.HasPrefix(m.Content, "AdhocQuery") {
		notes = append(notes, fmt.Sprintf("registry objects: %d", r.Objects))
	}
	return notes
}

// maxNotes bounds what is said about one envelope.
const maxNotes = 10
