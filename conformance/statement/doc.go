// Package statement is the DICOM conformance statement of the gateway and of its probes, after PS3.2, with a section
// about HL7: a table of clauses, each with the part of the standard it speaks of and the tests that show it, and the page made from it.
package statement

//go:generate go test . -run ^TestStatement$ -update
