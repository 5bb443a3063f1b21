package xds

// Namespaces of envelopes and their contents.
const (
	SOAP12Namespace     = "http://www.w3.org/2003/05/soap-envelope"
	SOAP11Namespace     = "http://schemas.xmlsoap.org/soap/envelope/"
	AddressingNamespace = "http://www.w3.org/2005/08/addressing"
	SecurityNamespace   = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"

	rimNamespace   = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
	rsNamespace    = "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"
	queryNamespace = "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"
	xdsbNamespace  = "urn:ihe:iti:xds-b:2007"
	xopNamespace   = "http://www.w3.org/2004/08/xop/include"
)

// Actions of WS-Addressing, IHE ITI TF-2 appendix V. The action of an answer is that of its
// request with "Response" behind it.
const (
	ActionStoredQuery = "urn:ihe:iti:2007:RegistryStoredQuery"             // ITI-18
	ActionProvide     = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b" // ITI-41
	ActionRegister    = "urn:ihe:iti:2007:RegisterDocumentSet-b"           // ITI-42
	ActionRetrieve    = "urn:ihe:iti:2007:RetrieveDocumentSet"             // ITI-43
)

// ResponseAction is the action of the answer to a request with the given action.
func ResponseAction(action string) string { return action + "Response" }

// Addresses that WS-Addressing 1.0 core gives a meaning to.
const (
	// anonymous as a reply address asks for the answer on the same connection.
	anonymous = AddressingNamespace + "/anonymous"
	// unspecified in RelatesTo says that the peer does not know what it answers (section 3.4).
	unspecified = AddressingNamespace + "/unspecified"
)

// Stored queries of ITI-18, IHE ITI TF-2 3.18.4.1.2.3.7.
const (
	QueryFindDocuments = "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"
	QueryGetDocuments  = "urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4"
)

// Parameters of the stored queries.
const (
	paramUniqueID  = "$XDSDocumentEntryUniqueId"
	paramPatientID = "$XDSDocumentEntryPatientId"
	paramStatus    = "$XDSDocumentEntryStatus"
)

// StatusApproved is the availability of a document entry that is in force.
const StatusApproved = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"

// Limits on what a peer sends.
const (
	// MaxEnvelope bounds one SOAP envelope, documents inside it included, in bytes.
	MaxEnvelope = 4 << 20
	// MaxPackage bounds a whole answer, attached documents included, in bytes.
	MaxPackage = 64 << 20
	// MaxParts bounds the parts of an MTOM package.
	MaxParts = 64
	// MaxDepth bounds how deep elements of an envelope may be nested.
	MaxDepth = 64
	// MaxNodes bounds the elements and attributes of an envelope together.
	MaxNodes = 100_000
	// MaxSecurity bounds a wsse:Security header, in bytes: a signed assertion has 5 to 20 KiB.
	MaxSecurity = 256 << 10
	// maxBoundary bounds the boundary of a package; RFC 2046 5.1.1 allows 70.
	maxBoundary = 256
)
