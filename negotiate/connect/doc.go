// Package connect is the check that asks for nothing more than a connection, and TLS where
// that is set: the default where no better question is known.
//
// It proves that a kernel accepts, not that a process answers: a frozen server still passes.
// It is not free for the server either. One that expects its client to speak first notes an
// empty conversation for each check. Ask a real question where there is one.
package connect
