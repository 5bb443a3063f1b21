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

// TestWordsOfTheServer: no sentence quotes what may name a patient or hold a session.
func TestWordsOfTheServer(t *testing.T) {
	page, err := url.Parse("https://x/a;jsessionid=SECRET/b?c=SECRET")
	require.NoError(t, err)
	conn := &hungUp{write: syscall.EPIPE, said: strings.NewReader("HTTP/1.1 500 SECRET^ZZ not found\r\nContent-Length: 0\r\n\r\n"), end: io.EOF}
	talk := New(context.Background(), conn, true)
	require.Nil(t, talk.Ask(&http.Request{Method: "GET", URL: page, Host: "x", Header: http.Header{}}))
	require.Equal(t, "answers 500 Internal Server Error for /a", talk.Said())
	require.Equal(t, "500 Internal Server Error", talk.Fault(negotiate.ReasonBadStatus, "").Peer)
	require.Equal(t, "https://x/a", Shown(page))
	require.NotContains(t, talk.lost(io.EOF).Sentence, "SECRET")
	require.Equal(t, "599", statusWords(599))
}

// TestNoFarewell: a body that lasts as long as the connection ends with it, in TLS too.
func TestNoFarewell(t *testing.T) {
	for _, secure := range []bool{true, false} {
		conn := &hungUp{write: syscall.EPIPE, said: strings.NewReader("HTTP/1.0 200 OK\r\n\r\n<x/>"), end: io.ErrUnexpectedEOF}
		talk := New(context.Background(), conn, secure)
		require.Nil(t, talk.Ask(&http.Request{Method: "GET", URL: &url.URL{Path: "/"}, Host: "x", Header: http.Header{}}))
		talk.Allow(99)
		body, err := io.ReadAll(talk.Body())
		require.Equal(t, "<x/>", string(body))
		require.Equal(t, secure, err == nil)
	}
}
