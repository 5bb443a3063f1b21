package dicomassociate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gantry/negotiate/internal/dicomtalk"
	"gantry/protocols/dicom"
)

// Pair is one proposal: a SOP class whose objects come in one transfer syntax. Both are UIDs.
type Pair struct{ SOPClass, TransferSyntax string }

// String gives the names of PS3.6: "CTImageStorage/JPEG2000Lossless".
func (p Pair) String() string { return Name(p.SOPClass) + "/" + Name(p.TransferSyntax) }

// Name is the keyword of PS3.6 for a UID, or the UID itself where there is none. What is no UID is not repeated.
func Name(uid string) string { return dicomtalk.UIDWord(uid) }

// SOPClassUID understands a SOP class as people write it: the keyword of PS3.6, in any case, or a UID, private ones
// included. The error says what is near.
func SOPClassUID(text string) (string, error) {
	return uidOf(text, "SOP class", dicom.SOPClasses(), dicom.TransferSyntaxes(), "transfer syntax")
}

// TransferSyntaxUID does the same for a transfer syntax.
func TransferSyntaxUID(text string) (string, error) {
	return uidOf(text, "transfer syntax", dicom.TransferSyntaxes(), dicom.SOPClasses(), "SOP class")
}

// maxNear is how many similar names an error offers.
const maxNear = 3

func uidOf(text, what string, table, other []dicom.UID, otherWhat string) (string, error) {
	same := func(u dicom.UID) bool { return strings.EqualFold(u.Name, text) || u.Value == text }
	if i := slices.IndexFunc(table, same); i >= 0 {
		return table[i].Value, nil
	}
	switch {
	case slices.ContainsFunc(other, same):
		return "", fmt.Errorf("%s is a %s, not a %s", quoted(text), otherWhat, what)
	case dicomtalk.IsUID(text):
		return text, nil
	}
	var near []string
	for _, u := range table {
		if len(near) < maxNear && len(text) > 1 && strings.Contains(strings.ToLower(u.Name), strings.ToLower(text)) {
			near = append(near, u.Name)
		}
	}
	if near == nil {
		return "", fmt.Errorf("%s is not a %s; write its keyword of PS3.6, or its UID", quoted(text), what)
	}
	return "", fmt.Errorf("%s is not a %s; near are %s", quoted(text), what, strings.Join(near, ", "))
}

// maxQuoted bounds what an error repeats, in bytes.
const maxQuoted = 80

func quoted(text string) string { return strconv.QuoteToASCII(text[:min(len(text), maxQuoted)]) }

// uids turns keywords of the table into UIDs. A name that is none is left out; a test finds it.
func uids(names ...string) []string {
	var list []string
	for _, n := range names {
		if uid, ok := dicom.LookupUID(n); ok {
			list = append(list, uid)
		}
	}
	return list
}
