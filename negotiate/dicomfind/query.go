package dicomfind

import (
	"fmt"
	"strings"

	"github.com/suyashkumar/dicom/pkg/tag"

	"gantry/negotiate/internal/dicomtalk"
	"gantry/protocols/dicom"
)

// What cannot exist.
const (
	noStudy   = "2.25.120457283905116370925568734120987164523" // made for this purpose, and never given to a study
	noPatient = "ZZ-GANTRY-NOBODY"
	noStation = "ZZGANTRY"
	noDate    = "19000101"
)

// Tags of the unique keys that matches are compared with.
const (
	tagPatientID        dicom.Tag = 0x00100020
	tagStudyInstanceUID dicom.Tag = 0x0020000D
)

// contexts are what each model proposes.
var contexts = map[string]dicomtalk.Context{
	studyRoot:   {SOPClass: dicom.StudyRootFindUID, Service: "Study Root query service", Operation: "C-FIND"},
	patientRoot: {SOPClass: dicom.PatientRootFindUID, Service: "Patient Root query service", Operation: "C-FIND"},
	worklist:    {SOPClass: dicom.ModalityWorklistUID, Service: "worklist service", Operation: "C-FIND"},
}

// query builds the search that the settings ask for. It never has empty keys alone: that would ask for everything.
func (s *Settings) query() (dicomtalk.Context, dicomtalk.Query, error) {
	context, ok := contexts[s.model()]
	if !ok {
		return context, dicomtalk.Query{}, fmt.Errorf("model %q is not known", s.Model)
	}
	patient := strings.TrimSpace(s.PatientID)
	q := dicomtalk.Query{Context: dicom.ContextID(0), SOPClass: context.SOPClass, Most: dicomtalk.MaxMatches}
	var identifier []dicomtalk.Element
	switch {
	case s.model() == worklist:
		q.Key, q.Value = tagPatientID, patient
		identifier = planned(patient)
	case s.model() == patientRoot && s.StudyUID == "":
		q.Key, q.Value = tagPatientID, patient
		identifier = patients(or(patient, noPatient))
	case s.StudyUID != "":
		q.Key, q.Value = tagStudyInstanceUID, s.StudyUID
		identifier = studies(patient, s.StudyUID)
	case patient != "":
		q.Key, q.Value = tagPatientID, patient
		identifier = studies(patient, "")
	default:
		identifier = studies(noPatient, noStudy)
	}
	if q.Value == "" {
		q.Most = 1
	}
	var err error
	q.Identifier, err = dicomtalk.Encode(identifier...)
	return context, q, err
}

// studies searches on study level, PS3.4 C.6.2.1.
func studies(patient, study string) []dicomtalk.Element {
	return []dicomtalk.Element{
		dicomtalk.Text(tag.QueryRetrieveLevel, "STUDY"),
		dicomtalk.Text(tag.PatientID, patient),
		dicomtalk.Text(tag.StudyInstanceUID, study),
	}
}

// patients searches on patient level, PS3.4 C.6.1.1.
func patients(patient string) []dicomtalk.Element {
	return []dicomtalk.Element{
		dicomtalk.Text(tag.QueryRetrieveLevel, "PATIENT"),
		dicomtalk.Text(tag.PatientID, patient),
	}
}

// planned searches a worklist, PS3.4 K.6.1: for a patient, or for a station and a day that have nothing planned.
func planned(patient string) []dicomtalk.Element {
	station, date := noStation, noDate
	if patient != "" {
		station, date = "", ""
	}
	return []dicomtalk.Element{
		dicomtalk.Text(tag.PatientID, patient),
		dicomtalk.Sequence(tag.ScheduledProcedureStepSequence,
			dicomtalk.Text(tag.ScheduledStationAETitle, station),
			dicomtalk.Text(tag.ScheduledProcedureStepStartDate, date)),
	}
}

func or(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}
