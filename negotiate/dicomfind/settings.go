package dicomfind

import (
	"strconv"
	"strings"

	"gantry/negotiate"
	"gantry/negotiate/internal/dicomtalk"
)

// Settings of the kind "dicom-find".
type Settings struct {
	CalledAE   string `yaml:"called_ae" min:"1" max:"16" doc:"AE title that the check asks for. Absent: the server's ae_title, else the only title without wildcards in the service's accept_called_ae, else ANY-SCP."`
	CallingAE  string `yaml:"calling_ae" default:"GANTRY" min:"1" max:"16" doc:"AE title that the check gives itself. Not one of a client: servers count associations by it."`
	Model      string `yaml:"model" default:"study-root" enum:"study-root,patient-root,worklist" doc:"Which service is searched."`
	StudyUID   string `yaml:"study_uid" doc:"Study Instance UID of a study that must be found. Not with worklist; patient-root needs its patient_id too. Absent: a search for nothing."`
	PatientID  string `yaml:"patient_id" doc:"Patient ID of a test patient, agreed upon with the site, of whom something must be found: a study, or with worklist a planned procedure. Never a real patient."`
	MinMatches int    `yaml:"min_matches" default:"1" min:"1" max:"1000" doc:"How many matches must be found with study_uid or patient_id."`
}

// Values of Settings.Model.
const (
	studyRoot   = "study-root"
	patientRoot = "patient-root"
	worklist    = "worklist"
)

// maxPatientID is the length of a Patient ID, PS3.5 table 6.2-1, VR LO.
const maxPatientID = 64

var _ negotiate.Settings = (*Settings)(nil)

// Validate reports what the standard does not allow, and searches that would ask for everything.
func (s *Settings) Validate(report func(key, got, want string)) {
	dicomtalk.ValidTitle("called_ae", s.CalledAE, report)
	dicomtalk.ValidTitle("calling_ae", s.CallingAE, report)
	dicomtalk.ValidUID("study_uid", s.StudyUID, report)
	s.validPatient(report)
	switch s.model() {
	case studyRoot:
	case patientRoot:
		if s.StudyUID != "" && s.PatientID == "" {
			report("study_uid", strconv.Quote(s.StudyUID), "with model: patient-root write patient_id too, the search goes by patient; or use model: study-root")
		}
	case worklist:
		if s.StudyUID != "" {
			report("study_uid", strconv.Quote(s.StudyUID), "a worklist is not searched by study; write patient_id, or another model")
		}
	default:
		report("model", strconv.Quote(s.Model), "accepted: study-root, patient-root, worklist")
	}
	if s.MinMatches > 1 && s.StudyUID == "" && s.PatientID == "" {
		report("min_matches", strconv.Itoa(s.MinMatches), "give study_uid or patient_id too: without them the search is for nothing")
	}
	if s.MinMatches < 0 || s.MinMatches > dicomtalk.MaxMatches {
		report("min_matches", strconv.Itoa(s.MinMatches), "write a number from 1 to "+strconv.Itoa(dicomtalk.MaxMatches))
	}
}

// validPatient does not repeat the value: it may be a real patient's after all.
func (s *Settings) validPatient(report func(key, got, want string)) {
	notAllowed := func(r rune) bool { return r < ' ' || r > '~' || strings.ContainsRune(`\*?`, r) }
	switch {
	case s.PatientID == "":
	case len(s.PatientID) > maxPatientID, strings.TrimSpace(s.PatientID) == "", strings.ContainsFunc(s.PatientID, notAllowed):
		report("patient_id", strconv.Itoa(len(s.PatientID))+" characters", "write 1 to 64 ASCII characters without backslash, * and ?, not blanks alone")
	}
}

func (s *Settings) model() string {
	if s.Model == "" {
		return studyRoot
	}
	return s.Model
}

// known reports whether something must be found.
func (s *Settings) known() bool { return s.StudyUID != "" || s.PatientID != "" }

// Prober builds the probe for one server.
func (s *Settings) Prober(t negotiate.Target) (negotiate.Prober, error) {
	context, query, err := s.query()
	if err != nil {
		return nil, err
	}
	p := &probe{
		caller: dicomtalk.NewCaller(dicomtalk.NewPeer(t, s.CalledAE, s.CallingAE), context),
		query:  query,
	}
	if s.known() {
		p.least = max(s.MinMatches, 1)
	}
	return p, nil
}
