// Package xdsrepository is the check that asks a document repository (IHE XDS.b) for a document:
//
//	ITI-43, a repository id and a document id never issued  -->
//	                                                        <--  Failure, XDSUnknownRepositoryId
//
// That refusal is the healthy answer: the repository read the question and looked. With
// repository_uid it has to look for the document too, and XDSDocumentUniqueIdError is the healthy
// answer; with document_uid it has to deliver that document whole, which is the only proof that
// its storage can be read.
//
// Questions travel as MTOM packages, as the profile asks (IHE ITI TF-2 3.43.4.1); answers may be
// packages or plain. Documents are measured as they pass and never kept. Each check leaves an
// audit record on the repository (ITI-20); its MessageID begins with urn:uuid:67616e74-7279,
// which is "gantry" in hexadecimal.
package xdsrepository
