package httptalk

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
)

// hungUp is a connection whose other side has said something and is gone: writes fail.
type hungUp struct {
	net.Conn
	write error
	said  io.Reader
	end   error // after what was said
}

func (h *hungUp) Write([]byte) (int, error) { return 0, h.write }
func (h *hungUp) Read(b []byte) (int, error) {
	if n, err := h.said.Read(b); err == nil {
		return n, nil
	}
	return 0, h.end
}
func (h *hungUp) SetReadDeadline(time.Time) error { return nil }

// TestWordsBeforeHangUp: a server that hangs up before it has read the question is asked what it
// said first.
func TestWordsBeforeHangUp(t *testing.T) {
	alert := errors.New("tls: certificate required")
	tests := []struct {
		name       string
		write, end error
		said       string
		status     int // of the answer; 0 = none
		reason     negotiate.Reason
	}{
		{"nothing, reset", syscall.ECONNRESET, syscall.ECONNRESET, "", 0, negotiate.ReasonReset},
		{"nothing, broken pipe and end", syscall.EPIPE, io.EOF, "", 0, negotiate.ReasonReset},
		{"refuses our certificate", syscall.EPIPE, &net.OpError{Op: "remote error", Err: alert}, "", 0, negotiate.ReasonHandshake},
		{"early answer", syscall.ECONNRESET, io.EOF, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", 413, ""},
		{"early answer cut off", syscall.ECONNRESET, syscall.ECONNRESET, "HTTP/1.1 4", 0, negotiate.ReasonReset},
		{"out of time", os.ErrDeadlineExceeded, io.EOF, "HTTP/1.1 200 OK\r\n\r\n", 0, negotiate.ReasonTimeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			conn := &hungUp{write: tt.write, said: strings.NewReader(tt.said), end: tt.end}
			talk := New(context.Background(), conn, true)
			fault := talk.Ask(&http.Request{Method: "GET", URL: &url.URL{Path: "/"}, Host: "x", Header: http.Header{}})
			if tt.status != 0 {
				require.Nil(t, fault)
				require.Equal(t, tt.status, talk.Response.StatusCode)
				return
			}
			require.NotNil(t, fault)
			require.Equal(t, tt.reason, fault.Reason, fault.Sentence)
		})
	}
}
