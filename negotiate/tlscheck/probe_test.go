package tlscheck

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
)

// serve lets a function talk to each connection until the test ends, and returns its address.
func serve(t *testing.T, talk func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var talks sync.WaitGroup
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			talks.Add(1)
			go func() { defer talks.Done(); defer conn.Close(); talk(conn) }()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done; talks.Wait() })
	return l.Addr().String()
}

// polite is a server that reads until its client is done, then closes.
func polite(config *tls.Config) func(net.Conn) {
	return func(c net.Conn) {
		s := tls.Server(c, config)
		defer s.Close()
		if s.Handshake() == nil {
			_, _ = io.Copy(io.Discard, s)
		}
	}
}

// check runs the kind once.
func check(t *testing.T, settings Settings, address string, config *tls.Config) negotiate.Result {
	t.Helper()
	settings.Validate(func(key, got, want string) { t.Errorf("%s: %s; %s", key, got, want) })
	prober, err := settings.Prober(negotiate.Target{})
	require.NoError(t, err)
	return negotiate.Run(negotiate.WithTranscript(t.Context()), negotiate.Check{Prober: prober, TLS: config,
		Address: func() (string, error) { return address, nil }})
}

// TestExpiry: which certificate of a chain is told, and in which words.
func TestExpiry(t *testing.T) {
	root := issue(t, nil, "root", 1000*aDay, nil)
	fadingRoot := issue(t, nil, "fading root", 3*aDay+time.Hour, nil)
	middle := issue(t, root, "middle", 500*aDay, nil)
	fadingMiddle := issue(t, root, "fading middle", 5*aDay+time.Hour, nil)
	namesake := issue(t, root, "fading middle", 600*aDay, nil) // of another key
	old := issue(t, nil, "old", -time.Minute, nil)
	leaf := func(by *authority, lasts time.Duration) *authority { return issue(t, by, "leaf", lasts, nil) }
	date := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.DateOnly) }
	tests := []struct {
		name     string
		cert     tls.Certificate
		trusted  *authority
		days     int
		sentence string // "" = healthy
	}{
		{"long enough", leaf(middle, 400*aDay).pair(), root, 14, ""},
		{"just long enough", leaf(middle, 14*aDay+time.Hour).pair(), root, 14, ""},
		{"soon", leaf(middle, 9*aDay+time.Hour).pair(), root, 14, "its certificate expires on " + date(9*aDay+time.Hour) + ", in 9 days: renew it on the server"},
		{"tomorrow", leaf(middle, 25*time.Hour).pair(), root, 14, "in 1 day: renew"},
		{"today", leaf(middle, 5*time.Hour+time.Minute).pair(), root, 14, "in 5 hours: renew"},
		{"other bound", leaf(middle, 60*aDay+time.Hour).pair(), root, 90, "in 60 days"},
		{"not asked for", leaf(middle, time.Hour).pair(), root, 0, ""},
		{"intermediate", leaf(fadingMiddle, 400*aDay).pair(), root, 14,
			"the certificate of the authority that signed its own (intermediate certificate) expires on " + date(5*aDay+time.Hour) + ", in 5 days: get a new chain"},
		{"root", leaf(fadingRoot, 400*aDay).pair(), fadingRoot, 14, "the root certificate above its own expires on " + date(3*aDay+time.Hour) + ", in 3 days: the authority needs a new one"},
		{"a forgotten old authority beside the chain", leaf(middle, 400*aDay).pair(old), root, 14, ""},
		{"signed by itself", leaf(nil, 2*aDay+time.Hour).pair(), nil, 14, "its certificate expires"},
		{"not verified", leaf(middle, 9*aDay+time.Hour).pair(), nil, 14, "its certificate expires"},
		{"not verified, intermediate", leaf(fadingMiddle, 400*aDay).pair(), nil, 14, "(intermediate certificate) expires"},
		{"not verified, with a namesake of the intermediate beside", leaf(fadingMiddle, 400*aDay).pair(namesake), nil, 14, "(intermediate certificate) expires"},
		{"not verified, with an old authority beside", leaf(middle, 400*aDay).pair(old), nil, 14, ""},
		{"not verified, expired", leaf(middle, -2*aDay).pair(), nil, 14, "its certificate expired on " + date(-2*aDay) + ", and is accepted because it is not verified: renew"},
		{"not verified, too young", issue(t, nil, "young", 800*aDay, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(400 * aDay) }).pair(), nil, 14,
			"its certificate is valid only from " + date(400*aDay) + " on, and is accepted because it is not verified: check the clocks"},
	}
	for _, tt := range tests {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(tt.name+"/"+tls.VersionName(version), func(t *testing.T) {
				client := &tls.Config{InsecureSkipVerify: tt.trusted == nil}
				if tt.trusted != nil {
					client.RootCAs = pool(tt.trusted)
				}
				address := serve(t, polite(&tls.Config{Certificates: []tls.Certificate{tt.cert}, MaxVersion: version}))
				r := check(t, Settings{ExpiryDays: tt.days}, address, client)
				require.Nil(t, r.Fault)
				require.Nil(t, r.Warning)
				if tt.sentence == "" {
					require.Nil(t, r.Degraded)
					return
				}
				require.NotNil(t, r.Degraded)
				require.Contains(t, r.Degraded.Sentence, tt.sentence)
				require.NotContains(t, r.Degraded.Sentence, "leaf")
			})
		}
	}
}

// TestTwoWays: of several ways to trusted authorities the one that lasts counts.
func TestTwoWays(t *testing.T) {
	root, other := issue(t, nil, "root", 900*aDay, nil), issue(t, nil, "other", 900*aDay, nil)
	fading := issue(t, other, "middle", 5*aDay, nil)
	lasting := issue(t, root, "middle", 500*aDay, func(c *x509.Certificate) { c.SubjectKeyId = fading.cert.SubjectKeyId })
	// The same authority, certified twice: the same name and key.
	der, err := x509.CreateCertificate(nil, lasting.cert, root.cert, fading.key.Public(), root.key)
	require.NoError(t, err)
	lasting.cert, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	leaf := issue(t, fading, "leaf", 400*aDay, nil)
	address := serve(t, polite(&tls.Config{Certificates: []tls.Certificate{leaf.pair(lasting)}}))
	for name, client := range map[string]*tls.Config{"verified": {RootCAs: pool(root, other)}, "not verified": {InsecureSkipVerify: true}} {
		t.Run(name, func(t *testing.T) {
			r := check(t, Settings{ExpiryDays: 14}, address, client)
			require.Nil(t, r.Fault)
			require.Nil(t, r.Degraded)
		})
	}
}

func TestSettings(t *testing.T) {
	require.True(t, (&Settings{}).Secure())
	for _, days := range []int{-1, MaxExpiryDays + 1} {
		var got []string
		(&Settings{ExpiryDays: days}).Validate(func(key, value, want string) { got = append(got, key+": "+want) })
		require.Equal(t, []string{"expiry_days: write 0 to 365 days"}, got)
	}
	// Without TLS there is nothing to judge.
	r := check(t, Settings{}, serve(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), nil)
	require.Equal(t, negotiate.ReasonInternal, r.Fault.Reason)
}
