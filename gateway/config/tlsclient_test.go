package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// issued is a certificate with its key, and what signed it.
type issued struct {
	cert tls.Certificate
	leaf *x509.Certificate
}

// pin is the certificate's SHA-256.
func (i issued) pin() string {
	sum := sha256.Sum256(i.leaf.Raw)
	return hex.EncodeToString(sum[:])
}

func (i issued) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.leaf.Raw})
}

// issue makes a certificate for pacs.example, signed by itself unless there is an authority.
func issue(t *testing.T, authority *issued, change func(*x509.Certificate)) issued {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "pacs.example"}, DNSNames: []string{"pacs.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true,
	}
	if change != nil {
		change(c)
	}
	parent, signer := c, any(key)
	if authority != nil {
		parent, signer = authority.leaf, authority.cert.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return issued{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, leaf}
}

// shake carries a handshake out between the settings and a server, and returns what the client met.
func shake(t *testing.T, settings *TLS, server *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	c, err := settings.Client()
	require.NoError(t, err)
	if c.ServerName == "" {
		c.ServerName = "pacs.example" // as the caller does
	}
	here, there := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn := tls.Server(there, server)
		if conn.Handshake() == nil {
			_, _ = conn.Write([]byte("x")) // with TLS 1.3 the client is done before the server has judged it
		}
		_ = there.Close()
	}()
	defer func() { _ = here.Close(); <-done }()
	conn := tls.Client(here, c)
	if err := conn.HandshakeContext(t.Context()); err != nil {
		return tls.ConnectionState{}, err
	}
	_, err = conn.Read(make([]byte, 1))
	return conn.ConnectionState(), err
}

func TestClientVerifies(t *testing.T) {
	ca := issue(t, nil, func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign })
	good := issue(t, &ca, nil)
	other := issue(t, &ca, func(c *x509.Certificate) { c.DNSNames = []string{"other.example"} })
	expired := issue(t, &ca, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	stranger := issue(t, nil, nil)
	tests := []struct {
		name    string
		server  issued
		block   string
		problem string
	}{
		{"good", good, "ca_file: ca.pem", ""},
		{"other name", other, "ca_file: ca.pem", "valid for other.example, not pacs.example"},
		{"other name asked for", other, "ca_file: ca.pem, server_name: other.example", ""},
		{"unknown authority", stranger, "ca_file: ca.pem", "unknown authority"},
		{"verify false", stranger, "verify: false", ""},
		{"verify false, expired", expired, "verify: false", ""},
		{"name not verified", other, "ca_file: ca.pem, verify_host: false", ""},
		{"name not verified, but the authority", stranger, "ca_file: ca.pem, verify_host: false", "unknown authority"},
		{"name not verified, but the time", expired, "ca_file: ca.pem, verify_host: false", "expired"},
		{"pinned", stranger, "fingerprint: " + stranger.pin(), ""},
		{"pinned, expired", expired, "fingerprint: " + expired.pin(), ""},
		{"pinned another", stranger, "fingerprint: " + good.pin(), "its SHA-256 fingerprint is " + stranger.pin()},
		{"pinned and verified", good, "ca_file: ca.pem, verify: true, fingerprint: " + good.pin(), ""},
		{"pinned and verified, expired", expired, "ca_file: ca.pem, verify: true, fingerprint: " + expired.pin(), "expired"},
		{"pinned and verified without name", other, "ca_file: ca.pem, verify: true, verify_host: false, fingerprint: " + other.pin(), ""},
		{"pinned another and verified", good, "ca_file: ca.pem, verify: true, fingerprint: " + other.pin(), "its SHA-256 fingerprint is"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			settings := tlsBlock(t, tt.block, map[string][]byte{"ca.pem": ca.pem()})
			_, err := shake(t, settings, &tls.Config{Certificates: []tls.Certificate{tt.server.cert}})
			if tt.problem == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.problem)
			var refused *tls.CertificateVerificationError
			require.ErrorAs(t, err, &refused, "the type by which the reason is told")
		})
	}
}

// tlsBlock reads a tls block as a file would have it, with files beside it.
func tlsBlock(t *testing.T, block string, files map[string][]byte) *TLS {
	t.Helper()
	text := strings.Replace(smallest, "servers:", "checks: [{type: connect, tls: {"+block+"}}], servers:", 1)
	c, problems := Parse("gantry.yaml", []byte(text), Options{ReadFile: func(path string, _ int64) ([]byte, error) {
		if data, ok := files[path]; ok {
			return data, nil
		}
		return nil, os.ErrNotExist
	}})
	require.Empty(t, problems)
	return c.Services[0].Servers[0].Checks[0].TLS
}

func TestClientVersions(t *testing.T) {
	server := issue(t, nil, nil)
	tests := []struct {
		name, block string
		most        uint16
		works       bool
	}{
		{"1.2 is enough", "verify: false", tls.VersionTLS12, true},
		{"1.1 is not", "verify: false", tls.VersionTLS11, false},
		{"1.1 when asked for", "verify: false, min_version: 1.1", tls.VersionTLS11, true},
		{"1.0 when asked for", "verify: false, min_version: 1.0", tls.VersionTLS10, true},
		{"1.2 is not enough", "verify: false, min_version: 1.3", tls.VersionTLS12, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			state, err := shake(t, tlsBlock(t, tt.block, nil), &tls.Config{Certificates: []tls.Certificate{server.cert},
				MinVersion: tls.VersionTLS10, MaxVersion: tt.most})
			require.Equal(t, tt.works, err == nil, err)
			if tt.works {
				require.Equal(t, tt.most, state.Version)
			}
		})
	}
	for _, s := range oldCipherSuites() {
		require.NotContains(t, tls.CipherSuiteName(s), "RC4")
	}
	require.Contains(t, oldCipherSuites(), tls.TLS_RSA_WITH_AES_128_CBC_SHA, "PS3.15 B.3")
}

func TestClientCertificate(t *testing.T) {
	server := issue(t, nil, nil)
	asks := &tls.Config{Certificates: []tls.Certificate{server.cert}, ClientAuth: tls.RequireAnyClientCert}
	with := "verify: false, cert_file: testdata/files/gateway.pem, key_file: testdata/files/gateway-key.pem"
	files := map[string][]byte{}
	for _, name := range []string{"gateway.pem", "gateway-key.pem"} {
		data, err := os.ReadFile(filepath.Join("testdata", "files", name))
		require.NoError(t, err)
		files["testdata/files/"+name] = data
	}
	_, err := shake(t, tlsBlock(t, with, files), asks)
	require.NoError(t, err)
	_, err = shake(t, tlsBlock(t, "verify: false", nil), asks)
	var alert *net.OpError
	require.True(t, errors.As(err, &alert), err)
}

// TestClientOfNothing: no block, no TLS.
func TestClientOfNothing(t *testing.T) {
	c, err := (*TLS)(nil).Client()
	require.NoError(t, err)
	require.Nil(t, c)
	c, err = new(TLS).Client()
	require.NoError(t, err)
	require.Equal(t, uint16(tls.VersionTLS12), c.MinVersion)
}

// TestKeyStaysHere: a private key is neither printed nor hashed; a renewed certificate is a change all the same.
func TestKeyStaysHere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "both.pem") // certificate and key may stand in one file
	text := strings.Replace(smallest, "servers:", fmt.Sprintf("checks: [{type: connect, tls: {cert_file: %s, key_file: %s}}], servers:", file, file), 1)
	fingerprints := map[string]bool{}
	for range 2 {
		own := issue(t, nil, nil)
		key, err := x509.MarshalPKCS8PrivateKey(own.cert.PrivateKey)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, append(own.pem(), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...), 0o600))
		check := parsed(t, text).Services[0].Servers[0].Checks[0]
		fingerprints[check.Fingerprint] = true
		raw, err := own.cert.PrivateKey.(*ecdsa.PrivateKey).Bytes()
		require.NoError(t, err)
		asNumber := new(big.Int).SetBytes(raw).String()
		for _, shown := range []string{fmt.Sprintf("%v %+v %#v", *check.TLS, *check.TLS, *check.TLS), fmt.Sprintf("%+v", check)} {
			require.NotContains(t, shown, asNumber)
			require.NotContains(t, shown, fmt.Sprint(raw))
		}
	}
	require.Len(t, fingerprints, 2)
}
