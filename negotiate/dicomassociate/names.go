package dicomassociate

import (
	"cmp"
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
	near := nearest(text, table)
	if near == nil {
		return "", fmt.Errorf("%s is not a %s; write its keyword of PS3.6, or its UID", quoted(text), what)
	}
	return "", fmt.Errorf("%s is not a %s; near are %s", quoted(text), what, strings.Join(near, ", "))
}

// nearest are the names that have the text in them: those that begin with it first, then the shortest.
func nearest(text string, table []dicom.UID) []string {
	text = strings.ToLower(text)
	var near []string
	for _, u := range table {
		if len(text) > 1 && strings.Contains(strings.ToLower(u.Name), text) {
			near = append(near, u.Name)
		}
	}
	begins := func(name string) int {
		if strings.HasPrefix(strings.ToLower(name), text) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(near, func(a, b string) int {
		return cmp.Or(cmp.Compare(begins(a), begins(b)), cmp.Compare(len(a), len(b)))
	})
	return near[:min(len(near), maxNear)]
}

// maxQuoted bounds what an error repeats, in bytes.
const maxQuoted = 80

func quoted(text string) string { return strconv.QuoteToASCII(text[:min(len(text), maxQuoted)]) }

// misspelt are names in the tables of this package that are no keywords; a test keeps it empty.
var misspelt []string

// uids turns keywords into UIDs.
func uids(names ...string) []string {
	var list []string
	for _, n := range names {
		uid, ok := dicom.LookupUID(n)
		if !ok {
			misspelt = append(misspelt, n)
			continue
		}
		list = append(list, uid)
	}
	return list
}
