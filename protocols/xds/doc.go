// Package xds writes the requests of the IHE XDS.b transactions that ask for something, and
// reads their answers: SOAP 1.2 envelopes with WS-Addressing, ebXML registry responses, and
// MTOM packages (IHE ITI TF-2 3.18, 3.43 and appendix V; SOAP 1.2 part 1; XOP 1.0).
//
//	request := xds.Encode(xds.Header{To: url, MessageID: id}, xds.GetDocuments("2.25.1"))
//	...
//	p, err := xds.ReadPackage(contentType, body)      // plain XML or multipart/related
//	m, err := xds.ParseMessage(p.Root)
//	f, err := m.Fault()                               // nil: no fault
//	r, err := m.RegistryResponse(p)                   // status, error codes, documents
//
// What a peer may send is bounded: see MaxEnvelope and the names beside it. Attached documents
// are read as a stream and only measured.
//
// Free text of a peer, such as the reason of a fault, may name a patient. It is kept apart from
// codes so that nobody quotes it by accident; errors of this package never quote their input.
package xds
