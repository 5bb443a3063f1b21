package dicom

import (
	"bytes"
	"encoding/binary"
)

// UserInformation is item 50 of RQ and AC. PS3.8 9.3.2.3, Annex D.1; PS3.7 D.3.3.
type UserInformation struct {
	// MaxLength is how many bytes the sender of this PDU wants to receive at
	// most in a P-DATA-TF, counted as the PDU length field counts; 0 means no
	// limit, and also stands for an absent item.
	MaxLength              uint32
	ImplementationClassUID string
	// ImplementationVersion has 1 to 16 characters; empty when absent.
	ImplementationVersion string
	Async                 *AsyncWindow // nil when absent, which means 1 and 1
	Roles                 []Role
	Extended              []ExtendedNegotiation
	CommonExtended        []CommonExtendedNegotiation
	// UserIdentity says that a user identity item (58 or 59) was there. Its
	// content may be a password and is never read, and never written.
	UserIdentity bool
	// Skipped lists the types of items and sub-items that were stepped over
	// because they are unknown, repeated or make no sense inside. They do not
	// matter here, but help to explain an odd peer.
	Skipped []byte
}

// AsyncWindow bounds outstanding operations; 0 means unlimited. PS3.7 D.3.3.3.
type AsyncWindow struct{ Invoked, Performed uint16 }

// Role proposes or accepts roles of the requestor for a SOP class. PS3.7 D.3.3.4.
type Role struct {
	SOPClassUID string
	SCU, SCP    bool
}

// ExtendedNegotiation carries what a service class has to say about itself.
// PS3.7 D.3.3.5.
type ExtendedNegotiation struct {
	SOPClassUID string
	Info        []byte
}

// CommonExtendedNegotiation names the service class of a SOP class and the SOP
// classes it is related to. RQ only. PS3.7 D.3.3.6.
type CommonExtendedNegotiation struct {
	Version         byte
	SOPClassUID     string
	ServiceClassUID string
	Related         []string
}

// decode reads item 50. Sub-items must have sound lengths; what is inside the
// optional ones is taken when it makes sense and stepped over otherwise, since
// a gateway has no business in refusing what the server behind it may accept.
func (u *UserInformation) decode(list item) error {
	return list.items(0).each(func(it item) error {
		if it.kind == itemMaxLength && it.len() != 4 {
			return syntaxErrorf(it.start, "maximum length item of %d bytes, must be 4", it.len())
		}
		if !u.take(it) {
			u.Skipped = append(u.Skipped, it.kind)
		}
		return nil
	})
}

func (u *UserInformation) take(it item) bool {
	v := it.value()
	switch it.kind {
	case itemMaxLength:
		u.MaxLength = binary.BigEndian.Uint32(v)
	case itemClassUID:
		u.ImplementationClassUID = trimUID(v)
	case itemVersionName:
		u.ImplementationVersion = trimUID(v)
	case itemAsyncWindow:
		return u.takeAsync(v)
	case itemRole:
		return u.takeRole(v)
	case itemExtended:
		return u.takeExtended(v)
	case itemCommonExtended:
		return u.takeCommon(it.second, v)
	case itemUserIdentityRQ, itemUserIdentityAC:
		u.UserIdentity = true
	default:
		return false
	}
	return true
}

func (u *UserInformation) takeAsync(v []byte) bool {
	if len(v) != 4 {
		return false
	}
	u.Async = &AsyncWindow{Invoked: uint16At(v, 0), Performed: uint16At(v, 2)}
	return true
}

func (u *UserInformation) takeRole(v []byte) bool {
	uid, roles, ok := cutUID(v)
	if !ok || len(roles) != 2 {
		return false
	}
	// The SCU byte comes first on the wire.
	u.Roles = append(u.Roles, Role{SOPClassUID: uid, SCU: roles[0] != 0, SCP: roles[1] != 0})
	return true
}

func (u *UserInformation) takeExtended(v []byte) bool {
	uid, info, ok := cutUID(v)
	if ok {
		u.Extended = append(u.Extended, ExtendedNegotiation{SOPClassUID: uid, Info: bytes.Clone(info)})
	}
	return ok
}

// takeCommon reads two UIDs and a list of UIDs behind the list's own length.
// Later versions of the item may add to its end: that is not looked at.
func (u *UserInformation) takeCommon(version byte, v []byte) bool {
	class, v, ok1 := cutUID(v)
	service, v, ok2 := cutUID(v)
	if !ok1 || !ok2 || len(v) < 2 || len(v)-2 < int(uint16At(v, 0)) {
		return false
	}
	c := CommonExtendedNegotiation{Version: version, SOPClassUID: class, ServiceClassUID: service}
	for list := v[2 : 2+int(uint16At(v, 0))]; len(list) > 0; {
		uid, rest, ok := cutUID(list)
		if !ok {
			return false
		}
		c.Related, list = append(c.Related, uid), rest
	}
	u.CommonExtended = append(u.CommonExtended, c)
	return true
}

// append writes item 50, its sub-items in ascending order of their types.
func (u *UserInformation) append(dst []byte) []byte {
	return appendItem(dst, itemUserInformation, 0, func(b []byte) []byte {
		b = append(b, itemMaxLength, 0, 0, 4)
		b = binary.BigEndian.AppendUint32(b, u.MaxLength)
		b = appendTextItem(b, itemClassUID, u.ImplementationClassUID)
		if u.Async != nil {
			b = append(b, itemAsyncWindow, 0, 0, 4)
			b = binary.BigEndian.AppendUint16(b, u.Async.Invoked)
			b = binary.BigEndian.AppendUint16(b, u.Async.Performed)
		}
		for _, r := range u.Roles {
			b = r.append(b)
		}
		if u.ImplementationVersion != "" {
			b = appendTextItem(b, itemVersionName, u.ImplementationVersion)
		}
		for _, e := range u.Extended {
			b = appendItem(b, itemExtended, 0, func(b []byte) []byte {
				return append(appendUID(b, e.SOPClassUID), e.Info...)
			})
		}
		for _, c := range u.CommonExtended {
			b = c.append(b)
		}
		return b
	})
}

func (r Role) append(dst []byte) []byte {
	return appendItem(dst, itemRole, 0, func(b []byte) []byte {
		return append(appendUID(b, r.SOPClassUID), flag(r.SCU), flag(r.SCP))
	})
}

func (c CommonExtendedNegotiation) append(dst []byte) []byte {
	return appendItem(dst, itemCommonExtended, c.Version, func(b []byte) []byte {
		b = appendUID(appendUID(b, c.SOPClassUID), c.ServiceClassUID)
		at := len(b)
		b = append(b, 0, 0)
		for _, uid := range c.Related {
			b = appendUID(b, uid)
		}
		// An overflow here overflows the item too, which is then left out.
		binary.BigEndian.PutUint16(b[at:], uint16(len(b)-at-2))
		return b
	})
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}
