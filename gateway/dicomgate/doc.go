// Package dicomgate is the gateway's side of an association: what must have
// come from a client before a server is dialled, and what the gateway answers
// in its own name.
//
// No server is dialled for a client that has not sent a whole
// A-ASSOCIATE-RQ: one silent connection blocks the listener of widely used
// archives for half a minute.
package dicomgate
