package xds

import (
	"bytes"
	"strings"

	"github.com/beevik/etree"
)

// Header is what a request carries beside its question.
type Header struct {
	To        string // address of the service
	MessageID string // "urn:uuid:…", new for each request
	// Security is a wsse:Security element, placed as it is: signatures do not survive the
	// smallest change. It must be one well-formed element; see SecurityHeader.
	Security []byte
}

// Request is a question of one of the transactions.
type Request interface {
	// Action is the request's wsa:Action.
	Action() string
	// body appends the child of soap:Body.
	body(*etree.Element)
}

// headerEnd cannot stand anywhere else in an envelope: text is written with &lt;.
var headerEnd = []byte("</s:Header>")

// Encode writes an envelope in UTF-8.
func Encode(h Header, r Request) []byte {
	doc := etree.NewDocument()
	doc.WriteSettings.CanonicalText = true // quotes around values stay quotes, as everybody writes them
	doc.CreateProcInst("xml", `version="1.0" encoding="UTF-8"`)
	root := doc.CreateElement("s:Envelope")
	root.CreateAttr("xmlns:s", SOAP12Namespace)
	root.CreateAttr("xmlns:a", AddressingNamespace)
	header := root.CreateElement("s:Header")
	action := header.CreateElement("a:Action")
	action.CreateAttr("s:mustUnderstand", "1")
	action.SetText(r.Action())
	header.CreateElement("a:To").SetText(h.To)
	header.CreateElement("a:MessageID").SetText(h.MessageID)
	header.CreateElement("a:ReplyTo").CreateElement("a:Address").SetText(anonymous)
	r.body(root.CreateElement("s:Body"))
	text, _ := doc.WriteToBytes() // to a buffer, which takes everything
	if len(h.Security) == 0 {
		return text
	}
	before, after, _ := bytes.Cut(text, headerEnd)
	return bytes.Join([][]byte{before, h.Security, headerEnd, after}, nil)
}

// StoredQuery is an AdhocQueryRequest of ITI-18 that asks for references only.
type StoredQuery struct {
	ID         string // query identifier, "urn:uuid:…"
	Home       string // home community, "urn:oid:…"; empty = none
	Parameters []Parameter
}

// Parameter is one parameter of a stored query with its coded value.
type Parameter struct {
	Name  string // "$XDSDocumentEntryStatus"
	Value string // coded as IHE ITI TF-2 3.18.4.1.2.3.5 asks; see Quote and QuoteList
}

// Quote codes a single text: in single quotes, those inside doubled.
func Quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// QuoteList codes the value of a parameter that takes several, even if there is only one.
func QuoteList(list ...string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = Quote(s)
	}
	return "(" + strings.Join(quoted, ",") + ")"
}

// GetDocuments asks for the entry of the document with a unique id: no patient takes part.
func GetDocuments(uniqueID string) StoredQuery {
	return StoredQuery{ID: QueryGetDocuments, Parameters: []Parameter{{paramUniqueID, QuoteList(uniqueID)}}}
}

// FindDocuments asks for the approved documents of a patient, whose id is in CX form:
// "ID^^^&OID&ISO".
func FindDocuments(patientID string) StoredQuery {
	return StoredQuery{ID: QueryFindDocuments, Parameters: []Parameter{
		{paramPatientID, Quote(patientID)}, {paramStatus, QuoteList(StatusApproved)}}}
}

// Action is that of ITI-18.
func (q StoredQuery) Action() string { return ActionStoredQuery }

func (q StoredQuery) body(body *etree.Element) {
	request := body.CreateElement("query:AdhocQueryRequest")
	request.CreateAttr("xmlns:query", queryNamespace)
	request.CreateAttr("xmlns:rim", rimNamespace)
	option := request.CreateElement("query:ResponseOption")
	option.CreateAttr("returnComposedObjects", "true")
	option.CreateAttr("returnType", "ObjectRef")
	query := request.CreateElement("rim:AdhocQuery")
	query.CreateAttr("id", q.ID)
	if q.Home != "" {
		query.CreateAttr("home", q.Home)
	}
	for _, p := range q.Parameters {
		slot := query.CreateElement("rim:Slot")
		slot.CreateAttr("name", p.Name)
		slot.CreateElement("rim:ValueList").CreateElement("rim:Value").SetText(p.Value)
	}
}

// Retrieve is a RetrieveDocumentSetRequest of ITI-43 for one document.
type Retrieve struct {
	Home       string // home community, "urn:oid:…"; empty = none
	Repository string // repositoryUniqueId, an OID
	Document   string // uniqueId of the document
}

// Action is that of ITI-43.
func (r Retrieve) Action() string { return ActionRetrieve }

func (r Retrieve) body(body *etree.Element) {
	request := body.CreateElement("x:RetrieveDocumentSetRequest")
	request.CreateAttr("xmlns:x", xdsbNamespace)
	document := request.CreateElement("x:DocumentRequest")
	if r.Home != "" {
		document.CreateElement("x:HomeCommunityId").SetText(r.Home)
	}
	document.CreateElement("x:RepositoryUniqueId").SetText(r.Repository)
	document.CreateElement("x:DocumentUniqueId").SetText(r.Document)
}

// ContentType is the media type of a plain envelope with the given action (RFC 3902).
func ContentType(action string) string {
	return `application/soap+xml; charset=UTF-8; action="` + action + `"`
}

// Pack makes an MTOM package with the envelope as its only part, as IHE ITI TF-2 3.43 wants
// requests too. The boundary must not occur in the envelope.
func Pack(envelope []byte, action, boundary string) (contentType string, body []byte) {
	var b bytes.Buffer
	b.WriteString("--" + boundary + "\r\n" +
		`Content-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"` + "\r\n" +
		"Content-Transfer-Encoding: binary\r\nContent-ID: <root@gantry>\r\n\r\n")
	b.Write(envelope)
	b.WriteString("\r\n--" + boundary + "--\r\n")
	return `multipart/related; boundary="` + boundary + `"; type="application/xop+xml"; start="<root@gantry>"; ` +
		`start-info="application/soap+xml"; action="` + action + `"`, b.Bytes()
}
