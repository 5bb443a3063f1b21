// Package dicomtalk is the asking side of one DICOM conversation, shared by the kinds of checks
// that have one. A Caller holds what all conversations of a check have in common; Hold runs one:
//
//	open    A-ASSOCIATE-RQ  -->
//	                        <--  A-ASSOCIATE-AC, or RJ or ABORT with a reason
//	ask     whatever the kind asks, by Talk.Send, Talk.Response and Talk.Find
//	close   A-RELEASE-RQ    -->
//	                        <--  A-RELEASE-RP, waited for up to ReleaseWait
//
// It is strict with what answers: an answer to another message, on another presentation context,
// of another command or larger than announced is a fault, and the sentence of each fault says
// what to look at. A conversation that does not end well is aborted with the fitting reason, so
// that the server frees its slot.
//
// Narrate puts a recorded conversation into words, PDU by PDU, with everything masked that may
// belong to a patient.
package dicomtalk
