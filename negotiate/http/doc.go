// Package httpcheck is the check that asks a web server for a page and reads the answer:
// status, and text or pattern in the body.
//
//	GET /login HTTP/1.1          -->
//	                             <--  200 OK, body up to MaxBody
//
// A redirect is a failure unless it is asked for, because the usual reason for one is a login
// or maintenance page that answers 200 for everything. It speaks HTTP/1.1 on the connection
// that the monitor opened, plain or TLS, and asks for one page per connection.
//
// A page from a static server says nothing about the API behind it, and a list of studies nothing
// about their images: give such a server one check for each, the second for a known object whose
// content is looked into (expect_body: DICM). With upgrade: websocket the check opens a WebSocket
// in place of reading a page, and closes it again.
//
// The folder is named http as the kind is in the configuration; the package is not, so that
// it can stand beside net/http.
package httpcheck
