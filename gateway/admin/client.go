package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// DefaultURL is where a gateway with the default configuration answers.
const DefaultURL = "http://127.0.0.1:9440"

const (
	// clientTimeout bounds one call; a reload may take reloadTimeout.
	clientTimeout = reloadTimeout + 5*time.Second
	// quickTimeout bounds the calls that the gateway answers at once: a person waits.
	quickTimeout = 10 * time.Second
	// maxAnswer bounds what the client reads: some hundred thousand servers.
	maxAnswer = 64 << 20
)

// Client talks to a running gateway. Make it with [NewClient]. Its errors are sentences for the person at the terminal:
// an *Error is the gateway's own answer, everything else tells why there was none.
type Client struct {
	base  string // without a trailing slash
	token string
	http  *http.Client
}

// NewClient returns a client for the gateway at address, an http or https URL; a bare HOST:PORT means http. The token
// may be empty.
func NewClient(address, token string) (*Client, error) {
	full := address
	if !strings.Contains(full, "://") {
		full = "http://" + full
	}
	u, err := url.Parse(full)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.RawQuery != "" || u.User != nil {
		return nil, fmt.Errorf("%q is not the address of a gateway; write it like %s", address, DefaultURL)
	}
	return &Client{base: strings.TrimSuffix(u.String(), "/"), token: token, http: newHTTPClient()}, nil
}

// newHTTPClient goes straight to the gateway: a proxy of the environment has no business on the way to an
// administrative port, and a redirect would carry the token elsewhere.
func newHTTPClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	return &http.Client{
		Transport:     transport,
		Timeout:       clientTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// URL is the gateway's address.
func (c *Client) URL() string { return c.base }

// Close gives back idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Status asks for the whole state of the gateway.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var s Status
	return s, c.call(ctx, http.MethodGet, "/api/v1/status", nil, &s)
}

// Events asks for the last events, newest first.
func (c *Client) Events(ctx context.Context) ([]Event, error) {
	var l eventList
	err := c.call(ctx, http.MethodGet, "/api/v1/events", nil, &l)
	return l.Events, err
}

// SetServer changes a server and returns it as it is afterwards.
func (c *Client) SetServer(ctx context.Context, service, server string, change ServerChange) (ServerStatus, error) {
	var s ServerStatus
	path := "/api/v1/services/" + url.PathEscape(service) + "/servers/" + url.PathEscape(server)
	return s, c.call(ctx, http.MethodPut, path, change, &s)
}

// Reload makes the gateway read its configuration file again. A refused file is an *Error with its Problems.
func (c *Client) Reload(ctx context.Context) (Reloaded, error) {
	var d Reloaded
	return d, c.call(ctx, http.MethodPost, "/api/v1/reload", nil, &d)
}

// call sends one request and decodes the answer into out. Unknown fields are ignored: the gateway may be newer.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	if method != http.MethodPost {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, quickTimeout)
		defer cancel()
	}
	r, err := c.request(ctx, method, path, in)
	if err != nil {
		return err
	}
	w, err := c.http.Do(r)
	if err != nil {
		return unreachable(c.base, err)
	}
	defer w.Body.Close()
	body, err := io.ReadAll(io.LimitReader(w.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("the answer of %s broke off: %w", c.base, plain(err))
	}
	if w.StatusCode != http.StatusOK {
		return c.refused(w, body)
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("what answers at %s is not a gantry: %w; use --admin", c.base, err)
	}
	return nil
}

func (c *Client) request(ctx context.Context, method, path string, in any) (*http.Request, error) {
	var body io.Reader = http.NoBody
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, err
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Accept", "application/json")
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	return r, nil
}
