package dicom

import "fmt"

// AssociateAC is an A-ASSOCIATE-AC. PS3.8 9.3.3.
type AssociateAC struct {
	Version uint16 // as in AssociateRQ
	// CalledAE and CallingAE repeat the request and mean nothing. See CopyTitles.
	CalledAE, CallingAE string
	ApplicationContext  string // as in AssociateRQ
	// Results has one entry for each context of the request. Having an AC says
	// little: all of them may be refusals.
	Results []ContextResult
	UserInformation
}

// ContextResult is the answer to one PresentationContext. PS3.8 9.3.3.2.
type ContextResult struct {
	ID     byte
	Result Result
	// TransferSyntax is the chosen one; without meaning unless Result is Accepted.
	TransferSyntax string
}

// Result is what an acceptor says to one presentation context.
type Result byte

// Results of PS3.8 table 9-18.
const (
	Accepted                 Result = 0
	UserRejection            Result = 1
	ProviderRejection        Result = 2 // no reason given
	AbstractSyntaxRejected   Result = 3 // the SOP class is not supported
	TransferSyntaxesRejected Result = 4 // none of them is supported
)

var resultWords = [...]string{
	Accepted:                 "accepted",
	UserRejection:            "user rejection",
	ProviderRejection:        "no reason given",
	AbstractSyntaxRejected:   "abstract syntax not supported",
	TransferSyntaxesRejected: "transfer syntaxes not supported",
}

// String gives the standard's words, or "result 9" for a number without meaning.
func (r Result) String() string {
	if int(r) < len(resultWords) {
		return resultWords[r]
	}
	return fmt.Sprintf("result %d", byte(r))
}

// Context finds the answer to a context; ok is false when there is none.
func (ac *AssociateAC) Context(id byte) (r ContextResult, ok bool) {
	for _, r := range ac.Results {
		if r.ID == id {
			return r, true
		}
	}
	return ContextResult{}, false
}

// DecodeAssociateAC reads a whole A-ASSOCIATE-AC, header included, and fails as
// DecodeAssociateRQ does.
func DecodeAssociateAC(pdu []byte) (*AssociateAC, error) {
	pdu, err := wholePDU(pdu, TypeAssociateAC)
	if err != nil {
		return nil, err
	}
	ac := &AssociateAC{Version: uint16At(pdu, HeaderLen)}
	ac.CalledAE, ac.CallingAE = titles(pdu)
	seen := once{}
	err = itemsOf(pdu).each(func(it item) error {
		switch {
		case it.kind == itemContextAC:
			return ac.addResult(it)
		case it.kind == itemApplicationContext && seen.first(it):
			ac.ApplicationContext = trimUID(it.value())
		case it.kind == itemUserInformation && seen.first(it):
			return ac.UserInformation.decode(it)
		default:
			ac.Skipped = append(ac.Skipped, it.kind)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ac, nil
}

// addResult reads item 21. A refused context may hold any transfer syntax, an
// empty one or none at all.
func (ac *AssociateAC) addResult(it item) error {
	if len(ac.Results) == MaxContexts {
		return syntaxErrorf(it.start-itemHeadLen, "more than %d presentation contexts", MaxContexts)
	}
	if it.len() < contextItemFixedLen {
		return syntaxErrorf(it.start, "presentation context item of %d bytes, too short", it.len())
	}
	r := ContextResult{ID: it.value()[0], Result: Result(it.value()[2])}
	err := it.items(contextItemFixedLen).each(func(sub item) error {
		if sub.kind == itemTransferSyntax {
			r.TransferSyntax = trimUID(sub.value())
		} else {
			ac.Skipped = append(ac.Skipped, sub.kind)
		}
		return nil
	})
	ac.Results = append(ac.Results, r)
	return err
}

// Append adds the whole PDU to dst, as AssociateRQ.Append does.
func (ac *AssociateAC) Append(dst []byte) []byte {
	start := len(dst)
	dst = appendAssociateHead(dst, TypeAssociateAC, ac.Version, ac.CalledAE, ac.CallingAE)
	dst = appendTextItem(dst, itemApplicationContext, orDefault(ac.ApplicationContext))
	for _, r := range ac.Results {
		dst = r.append(dst)
	}
	return setLength(ac.UserInformation.append(dst), start)
}

func (r ContextResult) append(dst []byte) []byte {
	return appendItem(dst, itemContextAC, 0, func(b []byte) []byte {
		b = append(b, r.ID, 0, byte(r.Result), 0)
		return appendTextItem(b, itemTransferSyntax, r.TransferSyntax)
	})
}
