// Package tlscheck is the check of what a TLS handshake shows. The handshake itself, the chain of
// certificates and the name in them are judged before this kind has its turn, as for all kinds; what
// is left is
//
//   - how long the certificates are valid: those of the server, and of the authorities between it and
//     the one that is trusted. Too short a time makes the server degraded (Settings.ExpiryDays);
//   - whether the server, too, is content. In TLS 1.3 a client has finished the handshake before the
//     server has looked at the client's certificate, and hears of a refusal with its first read. The
//     check therefore ends its own direction and reads until the server ends the other: a server that
//     refuses sends an alert first.
//
// It sends no byte of any other protocol.
//
// It has no Narrator: all that it reads and writes is the handshake and the farewell, below what a
// transcript sees.
package tlscheck
