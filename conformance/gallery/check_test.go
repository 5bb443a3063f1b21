package gallery

import (
	"cmp"
	"context"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/gateway/config"
	"gantry/negotiate"
)

// given are the keys with their values, files by their real names.
func (c check) given(t *testing.T) map[string][]string {
	given := map[string][]string{}
	for _, k := range c.keys {
		key, value, more := strings.Cut(k, "=")
		if !more {
			given[key] = nil
			continue
		}
		given[key] = append(given[key], files.real(t, value))
	}
	return given
}

// config is the check as a configuration would hold it.
func (c check) config(t *testing.T) config.Check {
	made, problems := config.NewCheck(c.kind, c.given(t), config.Options{})
	require.Empty(t, problems, "%s %v", c.kind, c.keys)
	return made
}

// place is where the check believes to look.
func (c check) place(at place) place {
	if c.at != nil {
		return *c.at
	}
	return at
}

// aimed is the check as the gateway would run it, and as gantry probe does, with the one difference that the
// connection leads to a server of the test.
func (c check) aimed(t *testing.T, at place, addr string) negotiate.Check {
	at = c.place(at)
	made := c.config(t)
	secure, err := made.TLS.Client()
	require.NoError(t, err)
	prober, err := made.Settings.Prober(negotiate.Target{Service: at.service, Server: at.server, Host: at.host, Port: at.port, Secure: secure != nil})
	require.NoError(t, err)
	return negotiate.Check{
		Kind: c.kind, Address: func() (string, error) { return at.address(), nil },
		Dial: func(ctx context.Context, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		},
		TLS: secure, Prober: prober, Timeout: made.Timeout, MaxLatency: made.MaxLatency,
	}
}

// verdictOf is what gantry probe would say.
func verdictOf(r negotiate.Result) verdict {
	v := verdict{word: map[negotiate.Outcome]string{negotiate.Failed: "unhealthy", negotiate.Partly: "degraded", negotiate.Passed: "healthy"}[r.Outcome()]}
	if f := r.Words(); f != nil {
		v.stage, v.reason = f.Stage, f.Reason
	}
	return v
}

// line is the check as a person types it.
func (c check) line(at place) string {
	words := c.words(c.place(at).address())
	for i, w := range words {
		words[i] = quoted(w)
	}
	return strings.Join(words, " ")
}

// words are the command and its arguments for a server at an address.
func (c check) words(addr string) []string {
	target, keys := addr, c.keys
	if path, ok := c.value("path"); ok {
		scheme, _ := c.value("scheme")
		target = cmp.Or(scheme, "http") + "://" + addr + path
		keys = slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return strings.HasPrefix(k, "path=") || strings.HasPrefix(k, "scheme=") })
	}
	words := []string{"gantry", "probe", c.kind, target}
	for _, k := range keys {
		key, value, more := strings.Cut(k, "=")
		words = append(words, "--"+strings.ReplaceAll(strings.TrimPrefix(key, "tls."), "_", "-"))
		if more && value != "true" {
			words = append(words, value)
		}
	}
	return words
}

func (c check) value(key string) (string, bool) {
	for _, k := range c.keys {
		if value, ok := strings.CutPrefix(k, key+"="); ok {
			return value, true
		}
	}
	return "", false
}

// quoted is a word as a shell wants it.
func quoted(word string) string {
	if strings.ContainsAny(word, ` ^&?*()<>|;"$\`) {
		return "'" + word + "'"
	}
	return word
}
