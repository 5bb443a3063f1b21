// Package dicomgate is the gateway's side of an association: what must have
// come from a client before a server is dialled, what the gateway answers in
// its own name, what a server said to the request, and what both sides say to
// each other while their association passes by.
//
// No server is dialled for a client that has not sent a whole
// A-ASSOCIATE-RQ: one silent connection blocks the listener of widely used
// archives for half a minute.
//
// Association reads along and never changes a byte. What a server answers is
// read whole; what a client sends may pass unseen for the most part, and is
// found again by the answers. Where Association cannot know, it says so.
package dicomgate
