package dicom

import "fmt"

// Statuses that more than one place has to name. PS3.7 Annex C, PS3.4.
const (
	StatusSuccess            uint16 = 0x0000
	StatusDuplicateInstance  uint16 = 0x0111
	StatusProcessingFailure  uint16 = 0x0110
	StatusClassNotSupported  uint16 = 0x0122
	StatusNotAuthorized      uint16 = 0x0124
	StatusDuplicateMessageID uint16 = 0x0210
	StatusUnknownOperation   uint16 = 0x0211
	StatusOutOfResources     uint16 = 0xA700
	StatusCancel             uint16 = 0xFE00
	StatusPending            uint16 = 0xFF00
	StatusPendingWarning     uint16 = 0xFF01 // some optional keys are not supported
)

// StatusClass is what a status means to whoever asked. PS3.7 Annex C.
type StatusClass byte

// The five classes.
const (
	ClassSuccess StatusClass = iota
	ClassWarning
	ClassFailure
	ClassCancel
	ClassPending // further responses follow
)

var classNames = [...]string{"success", "warning", "failure", "cancel", "pending"}

// String gives "success", "warning", "failure", "cancel" or "pending".
func (c StatusClass) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return fmt.Sprintf("status class %d", byte(c))
}

// StatusClassOf sorts a status into its class. A status that the standard has
// not assigned counts as a failure: nobody may take it for a success.
func StatusClassOf(status uint16) StatusClass {
	switch {
	case status == StatusSuccess:
		return ClassSuccess
	case status == StatusPending, status == StatusPendingWarning:
		return ClassPending
	case status == StatusCancel:
		return ClassCancel
	case status == 0x0001, status == 0x0107, status == 0x0116, status>>12 == 0xB:
		return ClassWarning
	}
	return ClassFailure
}
