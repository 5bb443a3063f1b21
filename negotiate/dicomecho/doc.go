// Package dicomecho is the check that asks a DICOM server for an association with the
// Verification service, sends a C-ECHO over it and releases it, as a modality would:
//
//	open    A-ASSOCIATE-RQ  -->
//	                        <--  A-ASSOCIATE-AC, or RJ or ABORT with a reason
//	ask     C-ECHO-RQ       -->
//	                        <--  C-ECHO-RSP, its message id and status are checked
//	close   A-RELEASE-RQ    -->
//	                        <--  A-RELEASE-RP, waited for up to a second
//
// It proves that the listener answers, that the AE titles are configured and that the
// dispatcher works; it says nothing about the database or the storage behind them. It
// creates and changes nothing. A conversation that does not end well is aborted, so that the
// server frees its slot, and a server sees nothing that a modality's own echo would not show.
//
// Where a site cannot give the gateway an AE title that is let in, expect_rejection takes the
// server's own "no" as proof that it lives. A server that lets the gateway in after all must
// answer the C-ECHO as always.
package dicomecho
