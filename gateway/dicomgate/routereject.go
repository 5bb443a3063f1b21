package dicomgate

import (
	"strconv"
	"strings"

	"gantry/protocols/dicom"
)

// rejects are those that a word stands for.
var rejects = []dicom.Reject{
	dicom.RejectNoReason, dicom.RejectApplicationContext, dicom.RejectCallingAE, dicom.RejectCalledAE,
	dicom.RejectVersion, dicom.RejectCongestion, dicom.RejectLocalLimit,
}

// RejectWords are the words that ParseReject reads.
func RejectWords() []string {
	words := make([]string, len(rejects))
	for i, r := range rejects {
		words[i] = r.Word()
	}
	return words
}

// ParseReject reads a word such as "calling-ae-not-recognized", which has the result that goes with it, or
// RESULT/SOURCE/REASON in digits such as 2/1/1, of which PS3.8 table 9-21 must know the meaning. Its error is an *Unfit.
func ParseReject(text string) (dicom.Reject, error) {
	for _, r := range rejects {
		if r.Word() == text {
			return r, nil
		}
	}
	want := "write " + strings.Join(RejectWords(), ", ") + " or RESULT/SOURCE/REASON such as 2/1/1"
	parts := strings.Split(text, "/")
	if len(parts) == 1 {
		return dicom.Reject{}, &Unfit{What: "not a reason for a rejection", Want: want, Known: RejectWords()}
	}
	r, ok := rejectOf(parts)
	if !ok || r.Word() == "" || r.Result != dicom.RejectedPermanent && r.Result != dicom.RejectedTransient {
		return dicom.Reject{}, &Unfit{What: "not a rejection of PS3.8 table 9-21", Want: want}
	}
	return r, nil
}

// rejectOf reads three numbers of one digit.
func rejectOf(parts []string) (dicom.Reject, bool) {
	if len(parts) != 3 {
		return dicom.Reject{}, false
	}
	var n [3]byte
	for i, part := range parts {
		x, err := strconv.ParseUint(part, 10, 8)
		if err != nil || len(part) != 1 {
			return dicom.Reject{}, false
		}
		n[i] = byte(x)
	}
	return dicom.Reject{Result: n[0], Source: n[1], Reason: n[2]}, true
}
