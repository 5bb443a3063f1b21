// Package dicomassociate finds out what a DICOM server accepts: SOP classes, each in the transfer syntaxes that its
// objects come in, by proposing them and reading the answers. Nothing is asked over the association, and nothing is
// stored.
//
//	open    A-ASSOCIATE-RQ  -->  up to 128 presentation contexts, each a SOP class in one transfer syntax
//	                        <--  A-ASSOCIATE-AC with a result for each, or RJ or ABORT with a reason
//	close   A-RELEASE-RQ    -->
//	                        <--  A-RELEASE-RP, waited for up to a second
//
// A server chooses one transfer syntax of those that a context offers, so a context with two of them would leave the
// other without an answer: here each pair has a context of its own.
//
// Survey asks as much as a person wants to know, in as few associations as that takes, one after the other. Settings
// is the kind of check "dicom-associate", which knows what is expected of the server and fits into one association: it
// notices a SOP class or a compression that was lost in an upgrade, where a C-ECHO finds nothing wrong.
package dicomassociate
