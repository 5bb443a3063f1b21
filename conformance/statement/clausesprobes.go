package statement

func probePolicies() Section {
	return Section{Title: "Association policies", Intro: `
| | |
|---|---|
| called AE title | ` + "`called_ae`" + ` of the check, else the server's ` + "`ae_title`" + `, else ANY-SCP |
| calling AE title | ` + "`calling_ae`" + ` of the check, else GANTRY |
| application context | 1.2.840.10008.3.1.1.1 |
| implementation class UID | 2.25.169094021110743322363671350827519687372 |
| implementation version name | GANTRY_ and the version |
| maximum length announced | 16384 |
| asynchronous operations, role selection, extended negotiation | proposed by dicom-associate and ` + "`gantry associate`" + ` alone, where told so: roles with the profile qr or ` + "`--role`" + `, the others by ` + "`--async`" + ` and ` + "`--extended`" + ` |
| user identity | not proposed |
| associations at a time | one for each check and server |
| acceptance | none: probes do not listen |
`, Clauses: []Clause{
		{"The request is this one, byte for byte, and answers are understood.", "PS3.8 9.3.2", []string{dicom + "TestGoldenAssociateRQ", dicom + "TestGoldenEcho", echo + "TestGolden", talk + "TestTitles"}},
		{"An association is released after the last answer; one that does not answer the release within 1 s is aborted, which the check warns of.",
			"PS3.8 7.2.2", []string{echo + "TestReleaseTrouble"}},
		{"Messages are sent in P-DATA-TF no longer than the acceptor announced, and than 128 KiB.", "PS3.8 D.1", []string{store + "TestFragments", talk + "TestFragmentLen"}},
		{"Answers must carry the number of the request; a wrong one is a failure.", "PS3.7 9.1.5", []string{echo + "TestUnhealthy", talk + "TestMessageIDs"}},
	}}
}

func probeContexts() Section {
	return Section{Title: "Presentation contexts proposed, all as SCU", Intro: `
| probe | abstract syntax | UID | transfer syntax | operation |
|---|---|---|---|---|
| dicom-echo | Verification | 1.2.840.10008.1.1 | Implicit VR Little Endian | C-ECHO |
| dicom-find, study-root | Study Root Query/Retrieve – FIND | 1.2.840.10008.5.1.4.1.2.2.1 | Implicit VR Little Endian | C-FIND, C-CANCEL |
| dicom-find, patient-root | Patient Root Query/Retrieve – FIND | 1.2.840.10008.5.1.4.1.2.1.1 | Implicit VR Little Endian | C-FIND, C-CANCEL |
| dicom-find, worklist | Modality Worklist – FIND | 1.2.840.10008.5.1.4.31 | Implicit VR Little Endian | C-FIND, C-CANCEL |
| dicom-store, opt-in | Secondary Capture Image Storage | 1.2.840.10008.5.1.4.1.1.7 | Implicit VR Little Endian | C-STORE |
| dicom-associate | what its settings name, or Verification | any | what its settings name, one for each context | none |
| dicom-store with read_back | and Study Root Query/Retrieve – FIND | 1.2.840.10008.5.1.4.1.2.2.1 | Implicit VR Little Endian | C-FIND |
`, Clauses: []Clause{
		{"Queries match exactly: keys that cannot exist, or a study and patient agreed with the site. None asks for everything; answers beyond the bound are cancelled.",
			"PS3.4 C.2.2.2", []string{find + "TestGoldenRequest", find + "TestGoldenIdentifier", find + "TestIdentifiers", find + "TestIgnoredKey"}},
		{"The stored image is always the same for a server: one SOP instance, patient ZZ-GANTRY-PROBE.", "PS3.4 B.2", []string{store + "TestInstanceUID", store + "TestImage", store + "TestGoldenRequest"}},
		{"dicom-associate and the survey ask for each SOP class in each transfer syntax by itself, at most 128 contexts an association, and send no data.", "PS3.8 9.3.2.2",
			[]string{assoc + "TestPlan", assoc + "TestSurvey", assoc + "TestProfiles"}},
		{"What is expected and refused makes the server degraded; nothing accepted, a reject or an abort unhealthy.", "PS3.8 9.3.3.2",
			[]string{assoc + "TestProbe", conf + "TestLostTransferSyntaxDegrades"}},
		{"With read_back the image must be found again.", "PS3.4 C.4.1", []string{store + "TestReadBack"}},
	}}
}

func probeBehaviour() Section {
	return Section{Title: "What answers mean", Clauses: []Clause{
		{"C-ECHO: only status 0000 is healthy.", "PS3.7 9.1.5", []string{echo + "TestHealthy", echo + "TestUnhealthy"}},
		{"C-FIND: the statuses of the service decide, pending ones are counted.", "PS3.4 C.4.1.1.4", []string{find + "TestHealthy", find + "TestStatus", find + "TestMissing"}},
		{"C-STORE: success and warnings count as stored, failures do not.", "PS3.4 B.2.3", []string{store + "TestStatus"}},
		{"Rejects are named by result, source and reason. Where told so, one proves that the server lives; a busy one is told apart.", "PS3.8 9.3.4", []string{echo + "TestRejected", echo + "TestExpectedRejection", echo + "TestBusy"}},
		{"Hostile and broken answers end the check with a named reason in bounded memory and time.", "PS3.8 9.3", []string{find + "TestRude", store + "TestRude", dicom + "TestDecodePDVsIsBounded", dicom + "TestDecodeAssociateACRefuses"}},
	}}
}
