package xds

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"strings"

	"github.com/beevik/etree"
)

// Status is the outcome that a registry or repository reports.
type Status int

// The statuses of IHE ITI TF-3 4.2.4.2; their URNs do not share a prefix.
const (
	StatusOther Status = iota // none, or one that the profile does not have
	StatusSuccess
	StatusPartialSuccess
	StatusFailure
)

var statusURNs = map[string]Status{
	"urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success": StatusSuccess,
	"urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure": StatusFailure,
	"urn:ihe:iti:2007:ResponseStatusType:PartialSuccess":         StatusPartialSuccess,
}

// String gives "Success", "PartialSuccess", "Failure" or "other".
func (s Status) String() string {
	return [...]string{"other", "Success", "PartialSuccess", "Failure"}[s]
}

// Response is the answer of a registry or repository: what an AdhocQueryResponse, a
// RegistryResponse and a RetrieveDocumentSetResponse have in common, and what each adds.
type Response struct {
	Status    Status
	Errors    []Error
	Objects   int        // entries of the RegistryObjectList: references, or whole objects
	Documents []Document // DocumentResponses
}

// Error is a RegistryError. Its codeContext is left out: it is free text.
type Error struct {
	Code    string // "XDSRegistryBusy"
	Warning bool   // severity Warning; every other counts as an error
}

// Document is one document of a RetrieveDocumentSetResponse.
type Document struct {
	Home, Repository, ID string
	MIMEType             string
	// Problem says why the content could not be read, for people; empty when Size and SHA1 hold.
	Problem string
	Size    int64  // bytes
	SHA1    string // 40 hexadecimal digits, lower case
}

// Response returns the registry response that the message carries; nil if it carries none.
// Attached documents are looked up in the package that the message came in.
func (m *Message) Response(p *Package) *Response {
	switch {
	case is(m.body, queryNamespace, "AdhocQueryResponse"):
		r := registryResponse(m.body)
		if list := child(m.body, rimNamespace, "RegistryObjectList"); list != nil {
			r.Objects = len(list.ChildElements())
		}
		return r
	case is(m.body, rsNamespace, "RegistryResponse"):
		return registryResponse(m.body)
	case is(m.body, xdsbNamespace, "RetrieveDocumentSetResponse"):
		inner := child(m.body, rsNamespace, "RegistryResponse")
		if inner == nil {
			return nil
		}
		r := registryResponse(inner)
		for _, d := range children(m.body, xdsbNamespace, "DocumentResponse") {
			r.Documents = append(r.Documents, document(d, p))
		}
		return r
	}
	return nil
}

func registryResponse(e *etree.Element) *Response {
	r := &Response{Status: statusURNs[strings.TrimSpace(e.SelectAttrValue("status", ""))]}
	list := child(e, rsNamespace, "RegistryErrorList")
	for _, found := range children(list, rsNamespace, "RegistryError") {
		r.Errors = append(r.Errors, Error{
			Code:    bareCode(found.SelectAttrValue("errorCode", "")),
			Warning: local(found.SelectAttrValue("severity", "")) == "Warning",
		})
	}
	return r
}

func document(e *etree.Element, p *Package) Document {
	field := func(name string) string { return text(child(e, xdsbNamespace, name)) }
	d := Document{Home: field("HomeCommunityId"), Repository: field("RepositoryUniqueId"),
		ID: field("DocumentUniqueId"), MIMEType: field("mimeType")}
	content := child(e, xdsbNamespace, "Document")
	if content == nil {
		d.Problem = "has no content"
		return d
	}
	measured, err := p.content(content)
	if err != nil {
		d.Problem = err.Error()
		return d
	}
	d.Size, d.SHA1 = measured.Size, measured.SHA1
	return d
}

// Problems of a document's content.
var (
	errNoPart    = errors.New("refers to an attachment that did not come")
	errNotBase64 = errors.New("is not valid base64")
)

// content measures what a Document element holds: base64, or a reference to a part (XOP 1.0
// section 2.1). Both may stand in one package.
func (p *Package) content(e *etree.Element) (Part, error) {
	include := child(e, xopNamespace, "Include")
	if include == nil {
		return measure(base64.NewDecoder(base64.StdEncoding, strings.NewReader(withoutBlanks(e.Text()))))
	}
	id, ok := strings.CutPrefix(strings.TrimSpace(include.SelectAttrValue("href", "")), "cid:")
	if !ok || p == nil {
		return Part{}, errNoPart
	}
	for _, name := range []string{percentDecoded(id), id} {
		if part, ok := p.Parts[name]; ok {
			return part, nil
		}
	}
	return Part{}, errNoPart
}

// withoutBlanks: base64Binary may be broken into lines and indented.
func withoutBlanks(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '\r' || r == '\n' {
			return -1
		}
		return r
	}, s)
}

// Part is what is known of an attached document: its measures, not its content.
type Part struct {
	Size int64  // bytes
	SHA1 string // 40 hexadecimal digits, lower case
}

// measure reads to the end and keeps nothing.
func measure(r io.Reader) (Part, error) {
	h := sha1.New() // IHE ITI TF-3 4.2.3.2.10: the hash of a document is SHA-1
	n, err := io.Copy(h, r)
	if err != nil {
		return Part{}, errNotBase64
	}
	return Part{Size: n, SHA1: hex.EncodeToString(h.Sum(nil))}, nil
}
