// Package mllpack is the check that sends one HL7 message over MLLP and reads the
// acknowledgement, as a sender would, over a connection of its own each time:
//
//	ask     0B MSH|^~\&|GANTRY|…|ZHC^ZHC|id|T|2.5.1 0D 1C 0D  -->
//	                          <--  MSH|… 0D MSA|AA|id 0D, in a frame
//	close   FIN               -->
//	                          <--  FIN, waited for up to CloseWait
//
// The message that it builds itself is of a type that no standard defines (ZHC^ZHC, processing id T)
// and has no segment but MSH: there is nothing in it that could be filed, and no setting puts anything
// into it. A receiver that rejects it because of its type shows that its listener, its parser and its
// acknowledgements work, and that is the question. What is behind them, such as a database, only a
// message that the operator has written himself can ask for (Settings.Message).
//
// What is made of an answer, where neither expect nor expect_error says otherwise:
//
//	AA, CA, or 06 of MLLP release 2             healthy
//	AE AR CE CR with error 100-104, 200-203     healthy: alive, and rejects the message by design
//	the same without an error, or another one   healthy for the built-in message, else a failure
//	the same with error 206 or 207, or a text   failure: the receiver says that it is ill
//	  about database, queue or disk
//	15 of MLLP release 2                        failure
//	MSA-2 empty or another one                  degraded: it mixes its acknowledgements up
//	a code in lower case                        degraded: strict senders do not know it
//	not framed, not HL7, no MSA, code unknown   failure
//	connection closed, or nothing in time       failure
//
// An AA is believed: a receiver that says so and stores nothing cannot be told from a good one here.
package mllpack
