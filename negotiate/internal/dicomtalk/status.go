package dicomtalk

import (
	"fmt"

	"gantry/negotiate"
	"gantry/protocols/dicom"
)

// BadStatus explains an answer that reports a failure. Its error comment is not quoted: it may name a patient.
func (t *Talk) BadStatus(c *dicom.Command) *negotiate.Fault {
	return &negotiate.Fault{Stage: negotiate.StageAsk, Reason: negotiate.ReasonBadStatus,
		Peer:     fmt.Sprintf("%s %04X", c.Name(), c.Status),
		Sentence: fmt.Sprintf("answers %s with status %04X", t.operation, c.Status) + t.statusAdvice(c.Status)}
}

// Failed explains an answer that reports a failure, unless it speaks against the question: then the server is degraded.
func (t *Talk) Failed(c *dicom.Command) *negotiate.Fault {
	if BadQuestion(c.Status) {
		negotiate.Degrade(t.ctx, t.BadStatus(c))
		return nil
	}
	return t.BadStatus(c)
}

// BadQuestion reports a status that speaks against the question and not against the server: it
// looked at the data set and found it unfit for the SOP class. PS3.4 tables B.2-1 and C.4-1.
func BadQuestion(status uint16) bool { return status>>8 == 0xA9 }

// statusAdvice says what the failures mean, PS3.7 annex C, PS3.4 tables B.2-1 and C.4-1.
func (t *Talk) statusAdvice(status uint16) string {
	log := "the log of " + t.Server + " says why"
	switch {
	case status == dicom.StatusClassNotSupported:
		return " (SOP class not supported): " + t.operation + " is switched off on " + t.Server
	case status == dicom.StatusNotAuthorized:
		return " (not authorised): allow " + t.operation + " for '" + t.Calling + "' on " + t.Server + t.orLicence()
	case status == dicom.StatusProcessingFailure:
		return " (processing failure): " + log
	case status&0xFF00 == dicom.StatusOutOfResources:
		return " (out of resources): check " + t.resources() + " of " + t.Server
	case BadQuestion(status):
		return " (data set does not match SOP class): it is alive, but does not take what this check asks; " + log
	case status>>12 == 0xC && t.operation == "C-FIND":
		return " (unable to process): its database may be down; " + log
	case status>>12 == 0xC && t.operation == "C-STORE":
		return " (cannot understand): it did not store a plain object; " + log
	default:
		return " (" + dicom.StatusClassOf(status).String() + "): " + log
	}
}

// orLicence: archives whose licence has ended still echo, and refuse the rest.
func (t *Talk) orLicence() string {
	if t.operation == "C-ECHO" {
		return ""
	}
	return "; if it was allowed before, its licence may have expired"
}

// resources are what each operation runs out of first.
func (t *Talk) resources() string {
	switch t.operation {
	case "C-FIND":
		return "database, disks and memory"
	case "C-STORE":
		return "whether the storage is full or not writable, and disks and memory"
	default:
		return "disks and memory"
	}
}
