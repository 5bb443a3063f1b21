package dicomassociate

import (
	"fmt"
	"slices"

	"gantry/protocols/dicom"
)

// What a requestor can ask query/retrieve classes for, byte by byte. PS3.4 C.5.1.1, C.5.2.1 and C.5.3.1.
var (
	findAbilities = []string{"relational queries", "combined date-time matching", "fuzzy matching of names",
		"time zone adjustment", "enhanced multi-frame conversion"}
	retrieveAbilities = []string{"relational retrieval", "enhanced multi-frame conversion"}
)

var (
	findClasses = uids("PatientRootQueryRetrieveInformationModelFind", "StudyRootQueryRetrieveInformationModelFind",
		"PatientStudyOnlyQueryRetrieveInformationModelFind")
	retrieveClasses = uids("PatientRootQueryRetrieveInformationModelMove", "PatientRootQueryRetrieveInformationModelGet",
		"StudyRootQueryRetrieveInformationModelMove", "StudyRootQueryRetrieveInformationModelGet",
		"PatientStudyOnlyQueryRetrieveInformationModelMove", "PatientStudyOnlyQueryRetrieveInformationModelGet")
)

// abilities are what extended negotiation of a SOP class is about; nil for classes that are not negotiated here.
func abilities(class string) []string {
	switch {
	case slices.Contains(findClasses, class):
		return findAbilities
	case slices.Contains(retrieveClasses, class):
		return retrieveAbilities
	}
	return nil
}

// Extended asks each query/retrieve class among the pairs for all that extended negotiation knows of it.
func Extended(pairs []Pair) []dicom.ExtendedNegotiation {
	var list []dicom.ExtendedNegotiation
	seen := map[string]bool{}
	for _, p := range pairs {
		if n := len(abilities(p.SOPClass)); n > 0 && !seen[p.SOPClass] {
			seen[p.SOPClass] = true
			list = append(list, dicom.ExtendedNegotiation{SOPClassUID: p.SOPClass, Info: slices.Repeat([]byte{1}, n)})
		}
	}
	return list
}

// grantedWords puts the answer of extended negotiation into words: what is there. A byte that the standard gives no meaning
// is told as it is; only so many of them, since a peer may send 64 KiB.
func grantedWords(class string, info []byte) []string {
	var list []string
	for i, b := range info[:min(len(info), 16)] {
		known := abilities(class)
		switch {
		case b == 0:
		case b == 1 && i < len(known):
			list = append(list, known[i])
		default:
			list = append(list, fmt.Sprintf("byte %d is %d", i+1, b))
		}
	}
	return list
}
