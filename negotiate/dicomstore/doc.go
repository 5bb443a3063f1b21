// Package dicomstore is the check that stores a small test image on a DICOM server, as a modality would:
//
//	open    A-ASSOCIATE-RQ  -->
//	                        <--  A-ASSOCIATE-AC, or RJ or ABORT with a reason
//	ask     C-STORE-RQ      -->
//	                        <--  C-STORE-RSP, its message id and status are checked
//	        C-FIND-RQ       -->  with read_back: is it in the database?
//	                        <--  C-FIND-RSP
//	close   A-RELEASE-RQ    -->
//	                        <--  A-RELEASE-RP, waited for up to a second
//
// It writes, so it is for sites that agree to it. The image is a Secondary Capture of the patient ZZ-GANTRY-PROBE. Its
// UIDs are made from the names of the service and the server and never change: however often it is sent, an archive
// keeps one image for each server; some log a line each time they meet it again. That is also the limit of read_back: it
// proves that the archive's database knows the image, not that it was written anew.
package dicomstore
