package config

import (
	"strings"

	"gantry/gateway/dicomgate"
	"gantry/gateway/mllpgate"
	"gantry/protocols/hl7"
)

const (
	patternPath    = `^[A-Z][A-Z0-9]{2}-[1-9][0-9]{0,2}([.][1-9][0-9]?){0,2}$`
	patternAnswer  = `^A[RE](-[0-9]{3})?$`
	patternRefusal = `^[AC]R(-[A-Za-z0-9_]{1,20})?$`
)

// parseAnswer reads what a route answers; the type has room for none.
func parseAnswer(text string) (any, error) {
	v, err := mllpgate.ParseReject(text)
	if _, associations := dicomgate.ParseReject(text); err != nil && associations == nil {
		return nil, wrong("a rejection of protocol dicom", "write AR or AE, or with an error code of table 0357, such as AR-200")
	}
	return &v, unfit(text, err)
}

// parsePath reads a place in a message that messages can be told apart by.
func parsePath(text string) (any, error) {
	const want = "write SEGMENT-FIELD or SEGMENT-FIELD.COMPONENT, such as PID-3.1 (patient), PV1-19 (visit) or MSH-4 (facility)"
	p, err := hl7.ParsePath(text)
	switch {
	case err == nil && p.Field <= hl7.EncodingCharacters && isHeader(p.Segment):
		return nil, wrong("the delimiters of a message, which tell no two apart", want)
	case err == nil:
		return &p, nil
	}
	if meant := dashed(text); meant != "" {
		return nil, wrong("not a place in a message", "write "+meant)
	}
	return nil, wrong("not a place in a message: "+err.Error(), want)
}

func isHeader(segment string) bool { return segment == "MSH" || segment == "FHS" || segment == "BHS" }

// dashed is how a path is written here that is written as other programs do: PID.3.1, PID-3-1, pid-3.1; "" for what is
// none of these.
func dashed(text string) string {
	segment, numbers, ok := strings.Cut(strings.ReplaceAll(strings.ToUpper(text), "-", "."), ".")
	if p, err := hl7.ParsePath(segment + "-" + numbers); ok && err == nil {
		return p.String()
	}
	return ""
}
