// Package xdsregistry is the check that asks a document registry (IHE XDS.b) a stored query:
//
//	ITI-18 GetDocuments, ObjectRef, a unique id never issued  -->
//	                                                          <--  Success, nothing found
//
// That is a read of its database which no patient takes part in. With patient_id it asks for the
// approved documents of an agreed test patient instead, and with min_documents it expects some:
// that finds a registry with an empty or wrong database.
//
// HTTP 200 is no answer: SOAP fault, status and error codes are looked at (IHE ITI TF-3 4.2.4).
// A code that only says that the question was nonsense to this registry is a sign of health.
// Each check leaves an audit record of a query on the registry (ITI-20); its MessageID begins
// with urn:uuid:67616e74-7279, which is "gantry" in hexadecimal.
package xdsregistry
