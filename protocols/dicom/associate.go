package dicom

import "encoding/binary"

// MaxContexts bounds the presentation contexts of one association PDU. The
// standard has 128 (odd identifiers); devices that also use even ones have at
// most 256, since an identifier is one byte.
const MaxContexts = 256

// Where the AE titles stand in an A-ASSOCIATE-RQ or -AC, counted from the start
// of the PDU; both have AETitleLen bytes. Behind them are 32 reserved bytes.
const (
	CalledAEOffset  = 10
	CallingAEOffset = 26
	AETitleLen      = 16
	itemsOffset     = HeaderLen + fixedAssociateLen
)

// AssociateRQ is an A-ASSOCIATE-RQ. PS3.8 9.3.2. The zero value is a request
// with blank titles and no context: fill in what is needed and Append it.
type AssociateRQ struct {
	// Version has a bit for each protocol version that the requestor speaks;
	// there is only bit 0. See SpeaksVersion1. Append writes 1 for 0.
	Version uint16
	// CalledAE and CallingAE are without padding; compare them case-sensitively.
	// An AE title is a name, not a proof of identity.
	CalledAE, CallingAE string
	// ApplicationContext is always ApplicationContextUID; Append writes it when
	// the field is empty.
	ApplicationContext string
	// Contexts in the order of the wire, even and repeated identifiers included.
	Contexts []PresentationContext
	UserInformation
}

// PresentationContext is one proposal: a SOP class with the transfer syntaxes
// that its data may come in. PS3.8 9.3.2.2.
type PresentationContext struct {
	ID               byte // odd, 1 to 255; see ContextID
	AbstractSyntax   string
	TransferSyntaxes []string
}

// ContextID gives the identifier of the n-th context, counted from 0 to 127:
// 1, 3, 5 and so on.
func ContextID(n int) byte { return byte(2*n + 1) }

// SpeaksVersion1 tests the only bit of the protocol version that counts. The
// right answer to a request without it is RejectVersion.
func (rq *AssociateRQ) SpeaksVersion1() bool { return rq.Version&1 != 0 }

// DecodeAssociateRQ reads a whole A-ASSOCIATE-RQ, header included; bytes behind
// it are left alone. It fails with protocols.ErrShort while bytes are missing
// and with a *protocols.SyntaxError when the type is another, a length is out
// of its limits or an item runs past what encloses it. What it means (an
// unknown title, no context at all) is for the caller to judge.
func DecodeAssociateRQ(pdu []byte) (*AssociateRQ, error) {
	pdu, err := wholePDU(pdu, TypeAssociateRQ)
	if err != nil {
		return nil, err
	}
	rq := &AssociateRQ{Version: uint16At(pdu, HeaderLen)}
	rq.CalledAE, rq.CallingAE = titles(pdu)
	seen := once{}
	err = itemsOf(pdu).each(func(it item) error {
		switch {
		case it.kind == itemContextRQ:
			return rq.addContext(it)
		case it.kind == itemApplicationContext && seen.first(it):
			rq.ApplicationContext = trimUID(it.value())
		case it.kind == itemUserInformation && seen.first(it):
			return rq.UserInformation.decode(it)
		default:
			rq.Skipped = append(rq.Skipped, it.kind)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return rq, nil
}

func (rq *AssociateRQ) addContext(it item) error {
	if len(rq.Contexts) == MaxContexts {
		return syntaxErrorf(it.start-itemHeadLen, "more than %d presentation contexts", MaxContexts)
	}
	if it.len() < contextItemFixedLen {
		return syntaxErrorf(it.start, "presentation context item of %d bytes, too short", it.len())
	}
	c := PresentationContext{ID: it.value()[0]}
	err := it.items(contextItemFixedLen).each(func(sub item) error {
		switch sub.kind {
		case itemAbstractSyntax:
			c.AbstractSyntax = trimUID(sub.value())
		case itemTransferSyntax:
			c.TransferSyntaxes = append(c.TransferSyntaxes, trimUID(sub.value()))
		default:
			rq.Skipped = append(rq.Skipped, sub.kind)
		}
		return nil
	})
	rq.Contexts = append(rq.Contexts, c)
	return err
}

// Append adds the whole PDU to dst. AE titles are cut to 16 bytes. An item that
// would not fit into its 16-bit length (thousands of transfer syntaxes) is left
// out.
func (rq *AssociateRQ) Append(dst []byte) []byte {
	start := len(dst)
	dst = appendAssociateHead(dst, TypeAssociateRQ, rq.Version, rq.CalledAE, rq.CallingAE)
	dst = appendTextItem(dst, itemApplicationContext, orDefault(rq.ApplicationContext))
	for _, c := range rq.Contexts {
		dst = c.append(dst)
	}
	return setLength(rq.UserInformation.append(dst), start)
}

func (c PresentationContext) append(dst []byte) []byte {
	return appendItem(dst, itemContextRQ, 0, func(b []byte) []byte {
		b = append(b, c.ID, 0, 0, 0)
		b = appendTextItem(b, itemAbstractSyntax, c.AbstractSyntax)
		for _, ts := range c.TransferSyntaxes {
			b = appendTextItem(b, itemTransferSyntax, ts)
		}
		return b
	})
}

// CopyTitles puts the 64 bytes of the request that an A-ASSOCIATE-AC has to
// repeat (both AE titles as they were padded, and the reserved bytes behind)
// into the answer. Both must be whole PDUs. PS3.8 9.3.3.
func CopyTitles(ac, rq []byte) {
	copy(ac[CalledAEOffset:itemsOffset], rq[CalledAEOffset:itemsOffset])
}

// titles reads both AE titles of a whole association PDU.
func titles(pdu []byte) (called, calling string) {
	return trimAE(pdu[CalledAEOffset:CallingAEOffset]),
		trimAE(pdu[CallingAEOffset : CallingAEOffset+AETitleLen])
}

func appendAssociateHead(dst []byte, t PDUType, version uint16, called, calling string) []byte {
	dst = binary.BigEndian.AppendUint16(appendHeader(dst, t), max(version, 1))
	dst = append(dst, 0, 0)
	dst = appendTitle(appendTitle(dst, called), calling)
	return append(dst, make([]byte, 32)...)
}

// appendTitle pads to 16 bytes, not 16 characters.
func appendTitle(dst []byte, title string) []byte {
	dst = append(dst, title[:min(len(title), AETitleLen)]...)
	return append(dst, "                "[min(len(title), AETitleLen):]...)
}

func orDefault(context string) string {
	if context == "" {
		return ApplicationContextUID
	}
	return context
}

// once remembers which of the items that must not repeat were seen.
type once map[byte]bool

func (o once) first(it item) bool {
	seen := o[it.kind]
	o[it.kind] = true
	return !seen
}
