// Package hl7 reads fields of HL7 version 2 messages straight from their bytes
// and builds acknowledgements. It never takes a message apart as a whole, never
// changes one, and needs no knowledge of any message type.
//
//	MSH|^~\&|RIS|HOSPITAL|PACS|ARCHIVE|20260102030405||ORM^O01|4711|P|2.5\r
//	   |||||  3    4        5    6       7             9       10  11 12
//	   ||||sub-component   MSH-1 is the separator itself, so the n-th field
//	   |||escape           behind it is MSH-(n+1)
//	   ||repetition
//	   |component
//	   field separator
//
// All delimiters are taken from the message. Segments end with CR; LF and CR LF
// are put up with. Strings that are returned are raw: HL7 escapes are left as
// they are, and bytes are in the message's own character set.
//
//	header, err := hl7.DecodeHeader(msg)
//	...
//	id := header.Text(hl7.ControlID)                       // MSH-10
//	kind := header.Component(hl7.MessageType, 1)           // MSH-9.1
//	patient := hl7.Path{Segment: "PID", Field: 3, Component: 1}.Find(header, msg)
//
// Field, Part, Find, All, Path, Messages and Answer allocate nothing, so that a router may ask for each message.
package hl7
