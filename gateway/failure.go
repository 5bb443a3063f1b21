package gateway

import (
	"errors"

	"golang.org/x/sys/unix"

	"gantry/balancing"
	"gantry/gateway/relay"
)

// failureOf sorts the error of a dial.
func failureOf(err error) balancing.Failure {
	switch {
	case errors.Is(err, relay.ErrConnectTimeout), errors.Is(err, unix.ETIMEDOUT):
		return balancing.Timeout
	case errors.Is(err, unix.ECONNREFUSED):
		return balancing.Refused
	case errors.Is(err, unix.ECONNRESET):
		return balancing.Reset
	case errors.Is(err, unix.EHOSTUNREACH), errors.Is(err, unix.ENETUNREACH), errors.Is(err, unix.EHOSTDOWN), errors.Is(err, unix.ENETDOWN):
		return balancing.Unreachable
	case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE), errors.Is(err, unix.ENOBUFS), errors.Is(err, unix.ENOMEM),
		errors.Is(err, unix.EADDRNOTAVAIL), errors.Is(err, unix.EAGAIN):
		return balancing.Local
	}
	return balancing.Other
}
