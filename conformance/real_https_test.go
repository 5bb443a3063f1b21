package conformance

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
)

// viewerName is the only name in the viewer's certificate; it is in no DNS.
const viewerName = "viewer.test"

// TestViewerKeepsItsCertificate: curl asks for the viewer through a tcp service and trusts nothing but the
// certificate that nginx holds: the gateway passes TLS through without touching it, and its own check
// reads the login page behind the same certificate.
func TestViewerKeepsItsCertificate(t *testing.T) {
	need(t, "nginx", "curl")
	ctx := within(t, time.Minute)
	dir := t.TempDir()
	cert, key := selfSigned(t, dir)
	var viewers [2]*peers.Middle
	for i, name := range []string{"VIEWER1", "VIEWER2"} {
		v, err := peers.StartViewer(ctx, dir, name, cert, key)
		require.NoError(t, err)
		t.Cleanup(v.Stop)
		viewers[i] = v
	}
	addr := peers.FreeAddr()
	g := gateway(t, raced(t), fmt.Sprintf(`services:
- name: HTTPS-Viewer
  protocol: tcp
  listen: [%q]
  distribution: failover
  timeouts: {drain: 1s}
  persistence: {by: none}
  checks:
  - {type: http, scheme: https, path: /login, expect_status: [200], expect_body: Viewer, interval: 1s, fast_interval: 200ms,
     tls: {server_name: %s, ca_file: %s}}
  servers: [{name: VIEWER1, address: %q}, {name: VIEWER2, address: %q}]
`, addr, viewerName, cert, viewers[0].Addr, viewers[1].Addr))
	for _, name := range []string{"VIEWER1", "VIEWER2"} {
		require.NoError(t, g.AwaitState(ctx, "HTTPS-Viewer", name, "up"))
	}
	port := portOf(addr)
	fetch := func() string {
		out, err := peers.Run(ctx, "curl", "-sS", "--cacert", cert, "--resolve", viewerName+":"+port+":127.0.0.1",
			"--write-out", "%{ssl_verify_result} %{http_code}\n%{certs}", "https://"+viewerName+":"+port+"/login")
		require.NoError(t, err)
		return out
	}
	page := fetch()
	require.Contains(t, page, "served by VIEWER1")
	require.Contains(t, page, "0 200", "verified against nginx's own certificate")
	own, err := os.ReadFile(cert)
	require.NoError(t, err)
	require.Contains(t, page, strings.TrimSpace(string(own)), "the certificate that curl was shown")

	viewers[0].Stop()
	require.Contains(t, fetch(), "served by VIEWER2", "the next server within the same connection")
	require.NoError(t, g.AwaitState(ctx, "HTTPS-Viewer", "VIEWER1", "down"))
	require.Contains(t, fetch(), "served by VIEWER2")
}

// selfSigned writes a certificate for viewerName and its key.
func selfSigned(t *testing.T, dir string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: viewerName},
		DNSNames:              []string{viewerName},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}), 0o600))
	return certFile, keyFile
}
