// Package protocols holds the two words that every codec below it shares:
// ErrShort ("come back with more bytes") and SyntaxError ("these bytes can
// never become a value").
//
// The codecs themselves are the packages protocols/dicom, protocols/mllp,
// protocols/hl7 and their siblings. They turn bytes into values and values into
// bytes and do nothing else: no connection, no clock, no log. So the same
// decoder serves an event loop that peeks and a test that holds a literal.
package protocols
