// Package soaptalk asks a SOAP service of IHE XDS.b one question: an HTTP POST on a connection
// that a check opened, and a verdict on everything that can come back up to the registry
// response. What that response should hold is the matter of the kinds that use it.
//
// How much an answer proves decides the verdict:
//
//	the service answered the question        healthy
//	it refused it for what it is             healthy: it was made to be refused
//	it is busy, or refuses our credentials   degraded: alive, and nothing more is proved
//	it failed, or something else answered    fault
package soaptalk
