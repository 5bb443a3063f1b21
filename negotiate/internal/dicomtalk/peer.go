package dicomtalk

import (
	"strconv"
	"strings"

	"gantry/negotiate"
	"gantry/protocols/dicom"
)

// AE titles of a check that nobody has set.
const (
	DefaultCalledAE  = "ANY-SCP"
	DefaultCallingAE = "GANTRY"
)

// Peer is one server as its check sees it: the titles of both sides, and what sentences need.
type Peer struct {
	Called, Calling string // AE titles
	Server          string // its name, for words
	Secure          bool   // the connection is TLS

	version string // gantry's own
}

// NewPeer resolves the titles of a check for one server. The called one is the check's, else that of
// the server (Target.AETitle), else DefaultCalledAE.
func NewPeer(t negotiate.Target, called, calling string) Peer {
	p := Peer{
		Called:  titleOr(called, titleOr(t.AETitle, DefaultCalledAE)),
		Calling: titleOr(calling, DefaultCallingAE),
		Server:  t.Server, Secure: t.Secure, version: t.Version,
	}
	if p.Server == "" {
		p.Server = "the server"
	}
	return p
}

// ValidTitle reports an AE title that the standard does not allow (PS3.5 table 6.2-1, VR AE). An empty
// one passes: it stands for the default.
func ValidTitle(key, title string, report func(key, got, want string)) {
	const letters = "write 1 to 16 ASCII characters without backslash"
	switch {
	case len(title) > dicom.AETitleLen, strings.ContainsFunc(title, notInTitle):
		report(key, strconv.Quote(title), letters)
	case title != "" && strings.TrimSpace(title) == "":
		report(key, strconv.Quote(title), letters+", not blanks alone")
	}
}

func notInTitle(r rune) bool { return r < ' ' || r > '~' || r == '\\' }

// titleOr drops blanks around a title, which have no meaning (PS3.5 6.2).
func titleOr(title, otherwise string) string {
	if title = strings.TrimSpace(title); title == "" {
		return otherwise
	}
	return title
}

// ValidUID reports a UID that the standard does not allow (PS3.5 9.1). An empty one passes.
func ValidUID(key, uid string, report func(key, got, want string)) {
	if uid != "" && !isUID(uid) {
		report(key, strconv.Quote(uid), "write digits and dots, up to 64 of them, without leading zeros")
	}
}

// IsUID tells what PS3.5 9.1 allows as a UID.
func IsUID(uid string) bool { return isUID(uid) }

// UIDWord gives the keyword of a UID, the UID itself, or says in brackets that it is none: fit to be shown, whoever sent it.
func UIDWord(uid string) string { return name(uid) }

// maxUID is the length of a UID, PS3.5 9.1.
const maxUID = 64

// isUID takes what PS3.5 9.1 allows: numbers without leading zeros, separated by dots.
func isUID(uid string) bool {
	if len(uid) > maxUID {
		return false
	}
	for part := range strings.SplitSeq(uid, ".") {
		if part == "" || len(part) > 1 && part[0] == '0' || strings.ContainsFunc(part, notDigit) {
			return false
		}
	}
	return true
}

func notDigit(r rune) bool { return r < '0' || r > '9' }
