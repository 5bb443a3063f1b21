package dicom

import "fmt"

// Reject is an A-ASSOCIATE-RJ. PS3.8 9.3.4.
type Reject struct{ Result, Source, Reason byte }

// Values of Reject.Result.
const (
	RejectedPermanent byte = 1 // asking again gets the same answer
	RejectedTransient byte = 2 // asking again later, or elsewhere, may work
)

// The rejects that have a meaning. PS3.8 table 9-21.
var (
	RejectNoReason           = Reject{1, 1, 1}
	RejectApplicationContext = Reject{1, 1, 2}
	RejectCallingAE          = Reject{1, 1, 3} // this requestor is not allowed
	RejectCalledAE           = Reject{1, 1, 7} // no such application here
	RejectVersion            = Reject{1, 2, 2}
	RejectCongestion         = Reject{2, 3, 1} // no usable server; shutting down
	RejectLocalLimit         = Reject{2, 3, 2} // all places are taken
)

// rejectSources and rejectReasons are PS3.8 table 9-21 in its own words.
var rejectSources = map[byte]string{
	1: "service user",
	2: "service provider, ACSE",
	3: "service provider, presentation",
}

var rejectReasons = map[[2]byte]string{
	{1, 1}: "no reason given",
	{1, 2}: "application context name not supported",
	{1, 3}: "calling AE title not recognized",
	{1, 7}: "called AE title not recognized",
	{2, 1}: "no reason given",
	{2, 2}: "protocol version not supported",
	{3, 1}: "temporary congestion",
	{3, 2}: "local limit exceeded",
}

// rejectWords name the rejects in configurations: source and reason of PS3.8 table 9-21. Who says that there is
// no reason makes no difference.
var rejectWords = map[[2]byte]string{
	{1, 1}: "no-reason",
	{1, 2}: "application-context-not-supported",
	{1, 3}: "calling-ae-not-recognized",
	{1, 7}: "called-ae-not-recognized",
	{2, 1}: "no-reason",
	{2, 2}: "protocol-version-not-supported",
	{3, 1}: "temporary-congestion",
	{3, 2}: "local-limit-exceeded",
}

// Word names the reason in one word, such as "called-ae-not-recognized", whatever the result is; empty for
// numbers without meaning.
func (r Reject) Word() string { return rejectWords[[2]byte{r.Source, r.Reason}] }

// Transient tells whether another attempt may succeed.
func (r Reject) Transient() bool { return r.Result == RejectedTransient }

// String gives "called AE title not recognized (permanent, service user, 1/1/7)".
// Numbers without meaning are shown as they are.
func (r Reject) String() string {
	result := map[byte]string{RejectedPermanent: "permanent", RejectedTransient: "transient"}[r.Result]
	return fmt.Sprintf("%s (%s, %s, %d/%d/%d)", word(rejectReasons[[2]byte{r.Source, r.Reason}], "reason", r.Reason),
		word(result, "result", r.Result), word(rejectSources[r.Source], "source", r.Source),
		r.Result, r.Source, r.Reason)
}

// Append adds the whole PDU, 10 bytes, to dst.
func (r Reject) Append(dst []byte) []byte {
	return append(dst, byte(TypeAssociateRJ), 0, 0, 0, 0, shortBodyLen, 0, r.Result, r.Source, r.Reason)
}

// DecodeReject reads a whole A-ASSOCIATE-RJ, header included. Any numbers are
// taken: a reject with an unknown reason is a reject still.
func DecodeReject(pdu []byte) (Reject, error) {
	pdu, err := wholePDU(pdu, TypeAssociateRJ)
	if err != nil {
		return Reject{}, err
	}
	return Reject{Result: pdu[7], Source: pdu[8], Reason: pdu[9]}, nil
}

// word falls back to the number of something the standard has no word for.
func word(known, what string, n byte) string {
	if known != "" {
		return known
	}
	return fmt.Sprintf("unknown %s %d", what, n)
}
