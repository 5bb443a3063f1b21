package dicom

// ApplicationContextUID names the only application context there is. PS3.7 A.2.1.
const ApplicationContextUID = "1.2.840.10008.3.1.1.1"

// UIDs that code refers to. All the others are in the table; see UIDName and
// LookupUID.
const (
	VerificationUID          = "1.2.840.10008.1.1"
	StorageCommitmentPushUID = "1.2.840.10008.1.20.1"
	PatientRootFindUID       = "1.2.840.10008.5.1.4.1.2.1.1"
	StudyRootFindUID         = "1.2.840.10008.5.1.4.1.2.2.1"
	StudyRootMoveUID         = "1.2.840.10008.5.1.4.1.2.2.2"
	StudyRootGetUID          = "1.2.840.10008.5.1.4.1.2.2.3"
	ModalityWorklistUID      = "1.2.840.10008.5.1.4.31"
	SecondaryCaptureUID      = "1.2.840.10008.5.1.4.1.1.7"
	CTImageStorageUID        = "1.2.840.10008.5.1.4.1.1.2"
	MRImageStorageUID        = "1.2.840.10008.5.1.4.1.1.4"

	ImplicitVRLittleEndianUID = "1.2.840.10008.1.2" // every application must accept it
	ExplicitVRLittleEndianUID = "1.2.840.10008.1.2.1"
)

// UIDName gives the keyword of PS3.6 for a SOP class or transfer syntax that
// this package knows, such as "CTImageStorage"; otherwise the UID itself.
func UIDName(uid string) string {
	if name, ok := nameOfUID[uid]; ok {
		return name
	}
	return uid
}

// LookupUID finds the UID for a keyword of PS3.6; ok is false for a keyword
// that this package does not know. Keywords are case-sensitive.
func LookupUID(name string) (uid string, ok bool) {
	uid, ok = uidOfName[name]
	return uid, ok
}

var nameOfUID, uidOfName = indexUIDs()

func indexUIDs() (byUID, byName map[string]string) {
	byUID = make(map[string]string, len(sopClasses)+len(transferSyntaxes))
	byName = make(map[string]string, len(byUID))
	for _, table := range [][]UID{sopClasses, transferSyntaxes} {
		for _, u := range table {
			byUID[u.Value], byName[u.Name] = u.Name, u.Value
		}
	}
	return byUID, byName
}

// intern turns bytes into a string without allocating when they repeat what was there before or are a UID of the
// table: hundreds of contexts and thousands of responses name the same few.
func intern(b []byte, before string) string {
	if string(b) == before {
		return before
	}
	if name, ok := nameOfUID[string(b)]; ok {
		return uidOfName[name]
	}
	return string(b)
}

// UID is a registered unique identifier with its keyword. PS3.6 Annex A.
type UID struct{ Name, Value string }

// SOPClasses lists the SOP classes that this package has names for, in the
// order of the table. The slice is the caller's.
func SOPClasses() []UID { return append([]UID(nil), sopClasses...) }

// TransferSyntaxes does the same for transfer syntaxes.
func TransferSyntaxes() []UID { return append([]UID(nil), transferSyntaxes...) }
