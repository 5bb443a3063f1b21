package xds

import (
	"strings"

	"github.com/beevik/etree"
)

// Message is an envelope that was read.
type Message struct {
	Version   string // "1.2" or "1.1"
	Action    string // wsa:Action; empty = absent, as the next ones
	To        string
	MessageID string
	RelatesTo string // the MessageID that is answered; empty also if the peer says that it does not know
	Content   string // local name of the first element in soap:Body: "AdhocQueryResponse", "Fault"

	space string // namespace of the envelope
	body  *etree.Element
}

// ParseMessage reads an envelope of SOAP 1.2 or 1.1 of at most MaxEnvelope bytes. Any error is
// a *protocols.SyntaxError.
func ParseMessage(b []byte) (*Message, error) {
	root, err := parse(b, MaxEnvelope)
	if err != nil {
		return nil, err
	}
	m := &Message{space: root.NamespaceURI()}
	switch {
	case is(root, SOAP12Namespace, "Envelope"):
		m.Version = "1.2"
	case is(root, SOAP11Namespace, "Envelope"):
		m.Version = "1.1"
	default:
		return nil, syntax("XML that is not a SOAP envelope")
	}
	header := child(root, m.space, "Header")
	m.Action = text(child(header, AddressingNamespace, "Action"))
	m.To = text(child(header, AddressingNamespace, "To"))
	m.MessageID = text(child(header, AddressingNamespace, "MessageID"))
	if m.RelatesTo = text(child(header, AddressingNamespace, "RelatesTo")); m.RelatesTo == unspecified {
		m.RelatesTo = ""
	}
	body := child(root, m.space, "Body")
	if body == nil {
		return nil, syntax("SOAP envelope without a body")
	}
	if elements := body.ChildElements(); len(elements) > 0 {
		m.body, m.Content = elements[0], elements[0].Tag
	}
	return m, nil
}

// Fault is a SOAP fault, in the terms of SOAP 1.2 whatever its version was.
type Fault struct {
	Code     string   // "Sender", "Receiver", "MustUnderstand", "VersionMismatch", "DataEncodingUnknown", or the peer's own
	Subcodes []string // local names, outermost first, such as "ActionNotSupported"
	// Reason is the peer's own text. It may hold anything, patients' names included: not for
	// logs and not for people who did not ask for it.
	Reason string
}

// Fault returns the fault that the message carries; nil if it carries none. HTTP's status says
// nothing about it: faults come with 200 too (WS-I Basic Profile R1107).
func (m *Message) Fault() *Fault {
	if !is(m.body, m.space, "Fault") {
		return nil
	}
	if m.Version == "1.1" {
		return fault11(m.body)
	}
	code := child(m.body, m.space, "Code")
	f := &Fault{
		Code:   local(text(child(code, m.space, "Value"))),
		Reason: text(child(child(m.body, m.space, "Reason"), m.space, "Text")),
	}
	for sub := child(code, m.space, "Subcode"); sub != nil; sub = child(sub, m.space, "Subcode") {
		if value := local(text(child(sub, m.space, "Value"))); value != "" {
			f.Subcodes = append(f.Subcodes, value)
		}
	}
	return f
}

// fault11 reads a fault of SOAP 1.1 (section 4.4), whose children have no namespace. A code
// such as "Client.Authentication" has its subcodes behind dots.
func fault11(e *etree.Element) *Fault {
	field := func(name string) string {
		if c := child(e, "", name); c != nil {
			return text(c)
		}
		return text(child(e, SOAP11Namespace, name)) // wrong, and common
	}
	f := &Fault{Reason: field("faultstring")}
	rest := local(field("faultcode"))
	for len(rest) > 0 {
		head, tail, _ := strings.Cut(rest, ".")
		if f.Code == "" {
			f.Code = head
		} else if head != "" {
			f.Subcodes = append(f.Subcodes, head)
		}
		rest = tail
	}
	switch f.Code {
	case "Client":
		f.Code = "Sender"
	case "Server":
		f.Code = "Receiver"
	}
	return f
}

// securityCodes are the fault codes of WS-Security 1.1 section 12
// that refuse the caller's credentials.
var securityCodes = map[string]bool{
	"UnsupportedSecurityToken": true, "UnsupportedAlgorithm": true, "InvalidSecurity": true,
	"InvalidSecurityToken": true, "FailedAuthentication": true, "FailedCheck": true,
	"SecurityTokenUnavailable": true, "MessageExpired": true, "ExpiredData": true,
}

// Security returns the code by which the fault refuses the caller's credentials; empty if it
// speaks of something else.
func (f *Fault) Security() string {
	for _, code := range append([]string{f.Code}, f.Subcodes...) {
		if securityCodes[code] {
			return code
		}
	}
	return ""
}

// Codes returns code and subcodes in one line: "Sender/ActionNotSupported".
func (f *Fault) Codes() string {
	all := f.Code
	if all == "" {
		all = "no code"
	}
	for _, sub := range f.Subcodes {
		all += "/" + sub
	}
	return all
}
