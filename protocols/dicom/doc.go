// Package dicom reads and writes the DICOM Upper Layer (PS3.8) and the DIMSE
// command set (PS3.7): bytes in, values out.
//
// One association, as it looks on the wire:
//
//	requestor (modality)                     acceptor (archive)
//	  01 A-ASSOCIATE-RQ  ------------------>
//	                     <------------------  02 A-ASSOCIATE-AC
//	                                          or 03 A-ASSOCIATE-RJ, then close
//	  04 P-DATA-TF       ------------------>  PDVs: command, then data set
//	                     <------------------  04 P-DATA-TF
//	  05 A-RELEASE-RQ    ------------------>
//	                     <------------------  06 A-RELEASE-RP
//	  close              ------------------>
//
// Either side may send 07 A-ABORT at any time and close. One TCP connection
// carries one association; there is no reuse after a release.
//
// Every PDU begins with six bytes: type, a reserved byte, and the number of
// bytes that follow, big endian. Inside a P-DATA-TF the command set is little
// endian, always Implicit VR, whatever transfer syntax the context has.
//
// # Decoding
//
// Decoders take a whole PDU, header included, unless they say otherwise. They
// answer with protocols.ErrShort while bytes are missing, and with a
// *protocols.SyntaxError when more bytes would not help. A length that a peer
// claims is compared with a named limit before anything waits for it, and
// memory is only ever taken for bytes that are there. Decoders are tolerant
// where the standard or the field asks for it: unknown items are stepped over,
// reserved bytes are not looked at, AE titles may be padded with NUL, context
// identifiers may be even or repeated. Except for PDV.Data, decoded values do
// not share memory with the input.
//
// # Encoding
//
// Append methods add one whole PDU to a slice and return it, so that a caller
// can write it to a connection in one piece. Writing the head and the body of a
// PDU separately costs 40 ms each time with a peer that delays its ACKs.
package dicom
