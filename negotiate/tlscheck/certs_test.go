package tlscheck

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const aDay = 24 * time.Hour

// authority is a certificate with its key, and those above it.
type authority struct {
	cert  *x509.Certificate
	key   *ecdsa.PrivateKey
	above *authority
}

// issue makes a certificate under an authority, nil for one that signs itself. edit changes it.
func issue(t *testing.T, by *authority, name string, lasts time.Duration, edit func(*x509.Certificate)) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(lasts),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	if edit != nil {
		edit(template)
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{cert: cert, key: key, above: by}
}

// pair is the certificate as a server presents it: its chain behind it, without the root, then extras.
func (a *authority) pair(extras ...*authority) tls.Certificate {
	chain := [][]byte{a.cert.Raw}
	for up := a.above; up != nil && up.above != nil; up = up.above {
		chain = append(chain, up.cert.Raw)
	}
	for _, e := range extras {
		chain = append(chain, e.cert.Raw)
	}
	return tls.Certificate{Certificate: chain, PrivateKey: a.key}
}

// pool trusts these authorities.
func pool(trusted ...*authority) *x509.CertPool {
	p := x509.NewCertPool()
	for _, a := range trusted {
		p.AddCert(a.cert)
	}
	return p
}
