package mllpgate

import (
	"slices"
	"strings"

	"gantry/gateway/pattern"
	"gantry/protocols/hl7"
)

// Verdict is a negative answer: a code of table 0008 and, if it is not empty, an error code of table 0357.
type Verdict struct{ Code, Error string }

// String is CODE or CODE-ERROR, as in a configuration.
func (v Verdict) String() string {
	if v.Error == "" {
		return v.Code
	}
	return v.Code + "-" + v.Error
}

// Is tells whether an answer with this MSA-1 and these error codes is such a one. A Verdict without an error code asks
// for none.
func (v Verdict) Is(code string, errors []string) bool {
	return v.Code == code && (v.Error == "" || slices.Contains(errors, v.Error))
}

// maxErrorCode bounds an error code; table 0357 has three digits, receivers have their own.
const maxErrorCode = 20

// ParseRefusal reads the answers upon which another server is tried: AR or CR, or with an error code such as AR-207.
// Its error is a *pattern.Unfit.
func ParseRefusal(text string) (Verdict, error) {
	const want = "write AR or CR, or with an error code of table 0357, such as AR-207"
	v := verdict(text)
	switch v.Code {
	case hl7.ApplicationReject, hl7.CommitReject:
	case hl7.ApplicationError, hl7.CommitError:
		return Verdict{}, &pattern.Unfit{What: v.Code + " says that something is wrong with the message: another server would say the same", Want: want}
	default:
		return Verdict{}, &pattern.Unfit{What: "not a refusal", Want: want}
	}
	if strings.Contains(text, "-") && !errorCode(v.Error) {
		return Verdict{}, &pattern.Unfit{What: "not an error code", Want: want}
	}
	return v, nil
}

// ParseReject reads what a route answers: AR or AE, or with an error code of table 0357 such as AR-200. Its error is a
// *pattern.Unfit.
func ParseReject(text string) (Verdict, error) {
	const want = "write AR or AE, or with an error code of table 0357, such as AR-200"
	v := verdict(text)
	switch v.Code {
	case hl7.ApplicationReject, hl7.ApplicationError:
	case hl7.CommitReject, hl7.CommitError:
		return Verdict{}, &pattern.Unfit{What: "senders that ask for an accept acknowledgement get " + v.Code + " by themselves", Want: "write A" + text[1:]}
	default:
		return Verdict{}, &pattern.Unfit{What: "not an answer that rejects", Want: want}
	}
	if strings.Contains(text, "-") && (v.Error == "0" || hl7.ErrorWords(v.Error) == "") {
		return Verdict{}, &pattern.Unfit{What: "not an error code of table 0357", Want: want}
	}
	return v, nil
}

func verdict(text string) Verdict {
	code, errorCode, _ := strings.Cut(text, "-")
	return Verdict{code, errorCode}
}

// errorCode: 0 is for success.
func errorCode(text string) bool {
	return text != "" && text != "0" && len(text) <= maxErrorCode && all([]byte(text), wordSign)
}
