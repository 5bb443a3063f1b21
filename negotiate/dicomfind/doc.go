// Package dicomfind is the check that searches a DICOM server, as a viewer or a modality's worklist would:
//
//	open    A-ASSOCIATE-RQ  -->
//	                        <--  A-ASSOCIATE-AC, or RJ or ABORT with a reason
//	ask     C-FIND-RQ       -->
//	                        <--  C-FIND-RSP for each match, then one with the final status
//	close   A-RELEASE-RQ    -->
//	                        <--  A-RELEASE-RP, waited for up to a second
//
// It proves that the server reads its database. By default it searches for something that cannot exist, which costs
// the server one look into an index and brings nothing. With study_uid or patient_id it searches for something that
// must be there, and so notices an empty or wrong database as well. It creates and changes nothing.
//
// A server that finds what cannot exist ignores the search key: it is degraded, and the search is cancelled after
// the first match.
package dicomfind
