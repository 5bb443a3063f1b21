package admin

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
)

// unreachable says why no gateway answered, and what to look at.
func unreachable(base string, err error) error {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch cause := plain(err); {
	case errors.Is(err, context.Canceled):
		return cause
	case errors.As(err, &dns):
		return fmt.Errorf("no gateway answers at %s: the name %s is not known; use --admin", base, dns.Name)
	case errors.As(err, &certificate):
		return fmt.Errorf("the certificate of %s is not trusted: %w", base, certificate.Err)
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return fmt.Errorf("%s does not speak TLS; use --admin with http://", base)
	case isTimeout(err):
		return fmt.Errorf("no gateway answers at %s: no answer in time; it hangs, or the address is wrong: use --admin", base)
	default:
		return fmt.Errorf("no gateway answers at %s: %w; is gantry running? use --admin", base, cause)
	}
}

// refused turns an answer that is not 200 into an error: the gateway's own words, or what else must be there.
func (c *Client) refused(w *http.Response, body []byte) error {
	var b errorBody
	if json.Unmarshal(body, &b) != nil || b.Error == nil || b.Error.Code == "" {
		return fmt.Errorf("what answers at %s is not a gantry: it says %s; use --admin", c.base, w.Status)
	}
	b.Error.Status = w.StatusCode
	if w.StatusCode == http.StatusUnauthorized {
		b.Error.Message = c.tokenHint()
	}
	return b.Error
}

func (c *Client) tokenHint() string {
	if c.token == "" {
		return fmt.Sprintf("the gateway at %s asks for a token; use --token-file", c.base)
	}
	return fmt.Sprintf("the gateway at %s does not take this token; compare --token-file with its admin.token", c.base)
}

// plain takes the wrappings off a network error down to what a person understands: "connection refused" rather than
// "Get "http://…": dial tcp …: connect: connection refused".
func plain(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}
