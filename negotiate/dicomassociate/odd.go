package dicomassociate

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gantry/negotiate"
	"gantry/negotiate/internal/dicomtalk"
	"gantry/protocols/dicom"
)

// MaxOdd bounds the oddities that a survey tells: a server that does everything wrong needs no longer list.
const MaxOdd = 32

// oddities are what an AC has that the standard does not allow, or that surprises requestors. Each is a sentence about
// the server.
type oddities struct {
	list []string
}

func (o *oddities) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if len(o.list) < MaxOdd && !slices.Contains(o.list, text) {
		o.list = append(o.list, text)
	}
}

// look compares an answer with its request.
func (o *oddities) look(p dicomtalk.Peer, r request, ac dicomtalk.Accepted) {
	o.contexts(r, ac.AssociateAC)
	o.head(p, ac)
	o.mandatory(ac)
	o.unasked(r, ac.AssociateAC)
}

// contexts: exactly one answer to each context. PS3.8 9.3.3.2.
func (o *oddities) contexts(r request, ac *dicom.AssociateAC) {
	times := map[byte]int{}
	for _, answer := range ac.Results {
		times[answer.ID]++
		switch proposed := answer.ID%2 == 1 && int(answer.ID/2) < len(r.pairs); {
		case !proposed && answer.ID%2 == 0:
			o.note("answers presentation context %d, which was not proposed; even numbers are not allowed", answer.ID)
		case !proposed:
			o.note("answers presentation context %d, which was not proposed", answer.ID)
		case times[answer.ID] == 2:
			o.note("answers presentation context %d (%v) twice; the first answer is taken", answer.ID, r.pairs[answer.ID/2])
		case answer.Result > dicom.TransferSyntaxesRejected:
			o.note("refuses with result %d, which the standard does not have", answer.Result)
		}
	}
	silent, misfits := 0, 0
	for i, p := range r.pairs {
		answer, found := ac.Context(dicom.ContextID(i))
		if !found {
			silent++
		} else if answer.Result == dicom.Accepted && answer.TransferSyntax != p.TransferSyntax {
			misfits++
		}
	}
	if silent > 0 {
		o.note("leaves %d of %d presentation contexts without an answer", silent, len(r.pairs))
	}
	if misfits > 0 {
		o.note("accepts %d of %d presentation contexts with a transfer syntax that was not proposed", misfits, len(r.pairs))
	}
}

// head: what stands before the items. PS3.8 9.3.3.
func (o *oddities) head(p dicomtalk.Peer, ac dicomtalk.Accepted) {
	if ac.CalledAE != p.Called || ac.CallingAE != p.Calling {
		o.note("does not repeat the AE titles of the request: called %s, calling %s", titleWord(ac.CalledAE), titleWord(ac.CallingAE))
	}
	if ac.Version&1 == 0 {
		o.note("answers with protocol version %d; there is only version 1", ac.Version)
	}
	if ac.ApplicationContext != dicom.ApplicationContextUID {
		o.note("answers with the application context %s; there is only %s", dicomtalk.UIDWord(ac.ApplicationContext), dicom.ApplicationContextUID)
	}
}

func titleWord(title string) string { return "'" + negotiate.PeerWords(title) + "'" }

// mandatory: what user information must have. PS3.8 annex D.1, PS3.7 D.3.3.2.
func (o *oddities) mandatory(ac dicomtalk.Accepted) {
	if !hasMaxLength(ac.PDU) {
		o.note("does not say how large a P-DATA-TF it takes; the maximum length is mandatory")
	} else if ac.MaxLength != 0 && ac.MaxLength < smallPDU {
		o.note("takes P-DATA-TF of at most %d bytes: large objects will take long", ac.MaxLength)
	}
	switch uid := ac.ImplementationClassUID; {
	case uid == "":
		o.note("does not name its implementation class; it is mandatory")
	case !dicomtalk.IsUID(uid):
		o.note("names an implementation class that is not a UID")
	}
	if n := len(ac.ImplementationVersion); n > maxVersionName {
		o.note("has an implementation version name of %d bytes; 16 are allowed", n)
	}
}

// smallPDU is what no server in use is known to stay below.
const smallPDU = 4096

// unasked: answers to what was not proposed, or that give more. PS3.7 D.3.3.3 to D.3.3.7.
func (o *oddities) unasked(r request, ac *dicom.AssociateAC) {
	switch {
	case ac.Async != nil && r.Async == nil:
		o.note("answers an asynchronous operations window that was not proposed")
	case ac.Async != nil && (wider(ac.Async.Invoked, r.Async.Invoked) || wider(ac.Async.Performed, r.Async.Performed)):
		o.note("widens the asynchronous operations window that was proposed")
	}
	for _, got := range ac.Roles {
		i := slices.IndexFunc(r.Roles, func(asked dicom.Role) bool { return asked.SOPClassUID == got.SOPClassUID })
		switch {
		case i < 0:
			o.note("answers a role for %s, for which none was proposed", Name(got.SOPClassUID))
		case got.SCU && !r.Roles[i].SCU || got.SCP && !r.Roles[i].SCP:
			o.note("accepts a role for %s that was not proposed", Name(got.SOPClassUID))
		}
	}
	for _, got := range ac.Extended {
		if !slices.ContainsFunc(r.Extended, func(asked dicom.ExtendedNegotiation) bool { return asked.SOPClassUID == got.SOPClassUID }) {
			o.note("answers extended negotiation for %s, for which none was proposed", Name(got.SOPClassUID))
		}
	}
	if ac.UserIdentity {
		o.note("answers a user identity, although none was given")
	}
	if len(ac.Skipped) > 0 {
		o.note("has items that do not belong into an A-ASSOCIATE-AC, or are malformed or repeated: %s", types(ac.Skipped))
	}
}

// wider compares numbers of which 0 means unlimited.
func wider(got, asked uint16) bool { return asked != 0 && (got == 0 || got > asked) }

// types lists item types in hexadecimal, each once.
func types(kinds []byte) string {
	var list []string
	for _, k := range slices.Compact(slices.Sorted(slices.Values(kinds))) {
		list = append(list, "0x"+strconv.FormatUint(uint64(k), 16))
	}
	return strings.Join(list[:min(len(list), 8)], ", ")
}

// hasMaxLength looks for the item 51 in item 50 of a PDU that was decoded without a fault: 0 in the decoded one may
// also mean that it is absent.
func hasMaxLength(pdu []byte) bool {
	const itemUser, itemMaxLength = 0x50, 0x51
	found := false
	walk(pdu[dicom.CallingAEOffset+dicom.AETitleLen+32:], func(kind byte, value []byte) {
		if kind == itemUser {
			walk(value, func(kind byte, _ []byte) { found = found || kind == itemMaxLength })
		}
	})
	return found
}

// walk visits items: type, a reserved byte, a length of two bytes, the value.
func walk(items []byte, visit func(kind byte, value []byte)) {
	for len(items) >= 4 {
		end := 4 + int(binary.BigEndian.Uint16(items[2:]))
		if end > len(items) {
			return
		}
		visit(items[0], items[4:end])
		items = items[end:]
	}
}
