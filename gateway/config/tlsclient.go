package config

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// tlsVersions are the words of min_version.
var tlsVersions = map[string]uint16{
	"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13,
}

// Client returns how a check of these settings speaks TLS, nil for a nil block. ServerName is empty when the settings
// name none: the caller fills in the server's host. The result is the caller's own.
//
// It cannot fail for settings that a [Config] holds.
func (t *TLS) Client() (*tls.Config, error) {
	if t == nil {
		return nil, nil
	}
	c := &tls.Config{
		ServerName: t.ServerName,
		MinVersion: tlsVersions[t.MinVersion],
		// Whoever turns off one part of what crypto/tls verifies must do the other part alone: see verifyChain.
		InsecureSkipVerify: !t.Verify || !t.VerifyHost, //nolint:gosec // a person's word in the configuration
	}
	if c.MinVersion == 0 {
		c.MinVersion = tls.VersionTLS12
	}
	if c.MinVersion < tls.VersionTLS12 {
		c.CipherSuites = oldCipherSuites()
	}
	if len(t.CA) > 0 {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(t.CA) {
			return nil, fmt.Errorf("no certificate in %s", t.CAFile)
		}
	}
	if t.certificate != nil {
		c.Certificates = []tls.Certificate{*t.certificate}
	}
	c.VerifyConnection = t.verifier(c.RootCAs)
	return c, nil
}

// oldCipherSuites are those of crypto/tls and, behind them, the ones with RSA key exchange that the first AES profile
// of DICOM (PS3.15 B.3) and IHE ATNA asked for. Broken ones (RC4) stay out.
func oldCipherSuites() []uint16 {
	var ids []uint16
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		if !strings.Contains(s.Name, "RC4") {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// verifier does what crypto/tls is not asked to do: pinning, and a chain without a name. Nil when nothing is left.
func (t *TLS) verifier(roots *x509.CertPool) func(tls.ConnectionState) error {
	chain := t.Verify && !t.VerifyHost
	if t.Fingerprint == "" && !chain {
		return nil
	}
	pin := t.Fingerprint
	return func(s tls.ConnectionState) error {
		if pin != "" {
			if err := verifyPin(s.PeerCertificates, pin); err != nil {
				return refusal(s.PeerCertificates, err)
			}
		}
		if chain {
			if err := verifyChain(s.PeerCertificates, roots); err != nil {
				return refusal(s.PeerCertificates, err)
			}
		}
		return nil
	}
}

// refusal is the type by which crypto/tls itself says that a certificate is not acceptable.
func refusal(certs []*x509.Certificate, err error) error {
	return &tls.CertificateVerificationError{UnverifiedCertificates: certs, Err: err}
}

var errNoCertificate = errors.New("the server sent none")

// verifyPin compares the server's own certificate with the pinned one.
func verifyPin(certs []*x509.Certificate, pin string) error {
	if len(certs) == 0 {
		return errNoCertificate
	}
	sum := sha256.Sum256(certs[0].Raw)
	if got := hex.EncodeToString(sum[:]); got != pin {
		return fmt.Errorf("its SHA-256 fingerprint is %s, and tls.fingerprint names another one;"+
			" if it was renewed on purpose, write the new fingerprint", got)
	}
	return nil
}

// verifyChain is what crypto/tls does without InsecureSkipVerify, but for the name.
func verifyChain(certs []*x509.Certificate, roots *x509.CertPool) error {
	if len(certs) == 0 {
		return errNoCertificate
	}
	options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, c := range certs[1:] {
		options.Intermediates.AddCert(c)
	}
	_, err := certs[0].Verify(options)
	return err
}
