package gallery

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The checks of TLS alone.
var (
	tlsCheck       = check{kind: "tls", keys: []string{"tls.ca_file=hospital-ca.pem"}}
	secureConnect  = check{kind: "connect", keys: append([]string{"tls.ca_file=hospital-ca.pem"}, ourCertificate...)}
	ourCertificate = []string{"tls.cert_file=gantry.pem", "tls.key_file=gantry-key.pem"}
)

// nobody hears what servers of tests have to say about their clients.
var nobody = log.New(io.Discard, "", 0)

// certificates are all that the gallery needs: an authority, and what it has signed.
type certificates struct {
	ca             *x509.Certificate
	key            *ecdsa.PrivateKey
	server, client tls.Certificate
}

var hospital = sync.OnceValues(func() (*certificates, error) {
	c := &certificates{}
	var err error
	if c.ca, c.key, err = newAuthority("Hospital CA"); err != nil {
		return nil, err
	}
	now := time.Now()
	c.server, err = c.sign("server", now.Add(-time.Hour), now.AddDate(1, 0, 0))
	if err == nil {
		c.client, err = c.sign("gantry", now.Add(-time.Hour), now.AddDate(1, 0, 0))
	}
	return c, err
})

func newAuthority(name string) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: date(2020, 1, 1), NotAfter: date(2120, 1, 1),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	ca, err := x509.ParseCertificate(der)
	return ca, key, err
}

func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 12, 0, 0, 0, time.UTC)
}

// sign makes a certificate for all servers of the gallery, by their addresses.
func (c *certificates) sign(name string, from, until time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, // where they really are
	}
	for _, at := range []place{dicomServer, hl7Server, registryServer, repositoryServer, viewerServer} {
		template.IPAddresses = append(template.IPAddresses, net.ParseIP(at.host))
	}
	der, err := x509.CreateCertificate(rand.Reader, template, c.ca, key.Public(), c.key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// pemFiles are the files of the authority, of the servers and of the client, in PEM.
func pemFiles() (map[string][]byte, error) {
	c, err := hospital()
	if err != nil {
		return nil, err
	}
	all := map[string][]byte{"hospital-ca.pem": block("CERTIFICATE", c.ca.Raw)}
	for name, pair := range map[string]tls.Certificate{"server": c.server, "gantry": c.client} {
		der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
		if err != nil {
			return nil, err
		}
		all[name+".pem"], all[name+"-key.pem"] = block("CERTIFICATE", pair.Certificate[0]), block("PRIVATE KEY", der)
	}
	return all, nil
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// soon is when the certificate ends that has not expired yet.
var soon = time.Now().Add(5*24*time.Hour + 12*time.Hour)

// The certificates that are wrong.
func expired(c *certificates) (tls.Certificate, error) {
	return c.sign("expired", date(2023, 3, 31), date(2024, 3, 31))
}

func ending(c *certificates) (tls.Certificate, error) {
	return c.sign("ending", date(2023, 3, 31), soon)
}

func unborn(c *certificates) (tls.Certificate, error) {
	return c.sign("unborn", date(2091, 1, 1), date(2092, 1, 1))
}

func strange(*certificates) (tls.Certificate, error) {
	ca, key, err := newAuthority("New CA")
	if err != nil {
		return tls.Certificate{}, err
	}
	return (&certificates{ca: ca, key: key}).sign("strange", date(2023, 3, 31), date(2110, 3, 31))
}

// secured is a server that shows a certificate, and says nothing more.
func secured(show func(*certificates) (tls.Certificate, error)) peer {
	return peer{start: func(t *testing.T) string {
		c, err := hospital()
		require.NoError(t, err)
		pair, err := show(c)
		require.NoError(t, err)
		return shaking(t, &tls.Config{Certificates: []tls.Certificate{pair}})
	}}
}

// inAnotherYear is a server whose clock has jumped: every client certificate has expired.
var inAnotherYear = peer{start: func(t *testing.T) string {
	c, err := hospital()
	require.NoError(t, err)
	clients := x509.NewCertPool()
	clients.AddCert(c.ca)
	return shaking(t, &tls.Config{Certificates: []tls.Certificate{c.server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients,
		Time: func() time.Time { return date(2091, 1, 1) }})
}}

// shaking listens, shakes hands and reads until the client has gone.
func shaking(t *testing.T, config *tls.Config) string {
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	require.NoError(t, err)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				all.Go(func() {
					_ = c.SetDeadline(time.Now().Add(10 * time.Second))
					_, _ = io.Copy(io.Discard, c)
					_ = c.Close()
				})
			}
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		all.Wait()
	})
	return l.Addr().String()
}
