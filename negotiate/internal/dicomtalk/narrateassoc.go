package dicomtalk

import (
	"encoding/binary"
	"strconv"
	"strings"

	"gantry/negotiate"
	"gantry/protocols/dicom"
)

// association tells an A-ASSOCIATE-RQ or -AC, and remembers its contexts.
func (n *narrator) association(p *passage, kind dicom.PDUType) {
	if kind == dicom.TypeAssociateRQ {
		n.request(p)
	} else {
		n.accept(p)
	}
	const items = dicom.CallingAEOffset + dicom.AETitleLen + 32
	p.show(dicom.HeaderLen, dicom.CalledAEOffset)
	for _, at := range []int{dicom.CalledAEOffset, dicom.CallingAEOffset} {
		if printable(p.whole[at : at+dicom.AETitleLen]) {
			p.show(at, at+dicom.AETitleLen)
		}
	}
	p.showEmpty(items-32, items)
	p.items(items, len(p.whole), 0)
}

func (n *narrator) request(p *passage) {
	rq, err := dicom.DecodeAssociateRQ(p.whole)
	if err != nil {
		p.note("malformed")
		return
	}
	p.note("called AE title '%s', calling AE title '%s'", negotiate.PeerWords(rq.CalledAE), negotiate.PeerWords(rq.CallingAE))
	for _, c := range rq.Contexts {
		n.services[c.ID] = name(c.AbstractSyntax)
		var syntaxes []string
		for _, ts := range c.TransferSyntaxes {
			syntaxes = append(syntaxes, name(ts))
		}
		p.note("context %d: %s, as %s", c.ID, name(c.AbstractSyntax), strings.Join(syntaxes, " or "))
	}
	p.user(rq.UserInformation)
}

func (n *narrator) accept(p *passage) {
	ac, err := dicom.DecodeAssociateAC(p.whole)
	if err != nil {
		p.note("malformed")
		return
	}
	for _, r := range ac.Results {
		service := n.services[r.ID]
		if service == "" {
			service = "not proposed"
		}
		if r.Result != dicom.Accepted {
			p.note("context %d: %s: %v", r.ID, service, r.Result)
			continue
		}
		n.syntaxes[r.ID] = r.TransferSyntax
		p.note("context %d: %s: accepted as %s", r.ID, service, name(r.TransferSyntax))
	}
	if len(ac.Results) == 0 {
		p.note("no presentation context")
	}
	p.user(ac.UserInformation)
}

func (p *passage) user(u dicom.UserInformation) {
	most := "of any length"
	if u.MaxLength != 0 {
		most = "of at most " + count(int(u.MaxLength))
	}
	p.note("takes P-DATA-TF %s", most)
	if u.ImplementationClassUID != "" || u.ImplementationVersion != "" {
		p.note("%s", strings.TrimSpace("implementation "+name(u.ImplementationClassUID)+" "+versionName(u.ImplementationVersion)))
	}
	if u.Async != nil {
		p.note("async operations window: %s invoked, %s performed", window(u.Async.Invoked), window(u.Async.Performed))
	}
	for _, r := range u.Roles {
		p.note("role %s: %s", name(r.SOPClassUID), RoleWord(r))
	}
	for _, e := range u.Extended {
		p.note("extended negotiation %s: %s", name(e.SOPClassUID), count(len(e.Info)))
	}
	if u.UserIdentity {
		p.note("user identity, masked")
	}
}

// RoleWord names what a role item says of the requestor. PS3.7 D.3.3.4.
func RoleWord(r dicom.Role) string {
	switch {
	case r.SCU && r.SCP:
		return "SCU and SCP"
	case r.SCP:
		return "SCP"
	case r.SCU:
		return "SCU"
	}
	return "neither SCU nor SCP"
}

// window is one number of an async operations window.
func window(n uint16) string {
	if n == 0 {
		return "unlimited"
	}
	return strconv.Itoa(int(n))
}

// versionName is one that is no longer than the standard has it.
func versionName(s string) string {
	if len(s) > maxVersionName {
		return count(len(s)) + ", masked"
	}
	return negotiate.PeerWords(s)
}

// Item types whose value is shown, or has items inside. PS3.8 9.3.2, 9.3.3 and annex D, PS3.7 annex D.3.
const (
	itemContextRQ, itemContextAC, itemUser           = 0x20, 0x21, 0x50
	itemApplication, itemAbstract, itemTransfer      = 0x10, 0x30, 0x40
	itemMaxLength, itemClass, itemAsync, itemVersion = 0x51, 0x52, 0x53, 0x55
	itemHeadLen                                      = 4
)

// items unmasks what is understood between two offsets; depth ends at user information.
func (p *passage) items(from, to, depth int) {
	for to-from >= itemHeadLen {
		kind, start := p.whole[from], from+itemHeadLen
		end := start + int(binary.BigEndian.Uint16(p.whole[from+2:]))
		if end > to {
			return
		}
		value := p.whole[start:end]
		p.show(from, start)
		switch kind {
		case itemContextRQ, itemContextAC:
			if depth == 0 && len(value) >= itemHeadLen {
				p.show(start, start+itemHeadLen)
				p.items(start+itemHeadLen, end, depth+1)
			}
		case itemUser:
			if depth == 0 {
				p.items(start, end, depth+1)
			}
		case itemApplication, itemAbstract, itemTransfer, itemClass:
			if isUID(trimmed(value)) {
				p.show(start, end)
			}
		case itemMaxLength, itemAsync:
			if len(value) == 4 {
				p.show(start, end)
			}
		case itemVersion:
			if len(value) <= maxVersionName && printable(value) {
				p.show(start, end)
			}
		}
		from = end
	}
}

// name gives the keyword of a UID, the UID itself, or says that it is none.
func name(uid string) string {
	switch {
	case uid == "":
		return "(empty)"
	case !isUID(uid):
		return "(not a UID)"
	}
	return dicom.UIDName(uid)
}

func trimmed(b []byte) string { return strings.TrimRight(string(b), "\x00 ") }

func printable(b []byte) bool {
	for _, c := range b {
		if c != 0 && (c < ' ' || c > '~') {
			return false
		}
	}
	return true
}
