package config

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/pem"
	"strings"
)

// MaxCertificateSize is the largest cert_file or key_file in bytes; a chain of four with comments is below 32 KiB.
const MaxCertificateSize = 256 << 10

// clientCertificate reads cert_file and key_file, and sees that they belong together. What is kept for the fingerprint
// of the check is a hash of the certificates, which everybody may know; the key stays in an unexported field.
func (d *decoder) clientCertificate(t *TLS, path string) {
	switch {
	case t.CertFile == "" && t.KeyFile == "":
		return
	case t.KeyFile == "":
		d.add(d.near(path, "cert_file"), path+".cert_file", "key_file is missing", quoted(t.CertFile), "add key_file: the private key of this certificate")
		return
	case t.CertFile == "":
		d.add(d.near(path, "key_file"), path+".key_file", "cert_file is missing", quoted(t.KeyFile), "add cert_file: the certificate of this key")
		return
	}
	certs := d.pemFile(path, "cert_file", t.CertFile, lackOfCertificate)
	key := d.pemFile(path, "key_file", t.KeyFile, lackOfKey)
	if certs == nil || key == nil {
		return
	}
	pair, err := tls.X509KeyPair(certs, key)
	if err != nil {
		d.unusablePair(t, path, err)
		return
	}
	t.certificate = &pair
	sum := sha256.New()
	for _, der := range pair.Certificate {
		sum.Write(der)
	}
	t.CertSum = hex.EncodeToString(sum.Sum(nil))
}

// pemFile reads a PEM file and asks what it lacks; nil after a problem. No problem shows what is in the file.
func (d *decoder) pemFile(path, key, name string, lack func(blocks []*pem.Block) (message, want string)) []byte {
	if strings.Contains(name, "BEGIN ") {
		d.add(d.near(path, key), path+"."+key, "this is the content of a file", "", "name the file")
		return nil
	}
	data, err := d.readBeside(name, MaxCertificateSize)
	if err != nil {
		d.add(d.near(path, key), path+"."+key, "cannot read the file: "+cause(err), quoted(name), "name a readable PEM file")
		return nil
	}
	if message, want := lack(pemBlocks(data)); message != "" {
		d.add(d.near(path, key), path+"."+key, message, quoted(name), want)
		return nil
	}
	return data
}

// pemBlocks takes a PEM file apart; what stands between the blocks means nothing.
func pemBlocks(data []byte) []*pem.Block {
	var blocks []*pem.Block
	for {
		var b *pem.Block
		if b, data = pem.Decode(data); b == nil {
			return blocks
		}
		blocks = append(blocks, b)
	}
}

func lackOfCertificate(blocks []*pem.Block) (message, want string) {
	for _, b := range blocks {
		if b.Type == "CERTIFICATE" {
			return "", ""
		}
	}
	if len(blocks) > 0 && isKey(blocks[0]) {
		return "this file holds a private key, no certificate", "write it as key_file"
	}
	return "no certificate in the file", "name a PEM file with BEGIN CERTIFICATE blocks, the gateway's own first"
}

func lackOfKey(blocks []*pem.Block) (message, want string) {
	for _, b := range blocks {
		switch {
		case b.Type == "ENCRYPTED PRIVATE KEY", strings.Contains(b.Headers["Proc-Type"], "ENCRYPTED"):
			return "the private key is encrypted with a passphrase",
				"take it off (openssl pkey -in FILE -out NEW) and let only the user of the gateway read the new file"
		case isKey(b):
			return "", ""
		}
	}
	return "no private key in the file", "name a PEM file with a BEGIN PRIVATE KEY block"
}

func isKey(b *pem.Block) bool { return strings.HasSuffix(b.Type, "PRIVATE KEY") }

// unusablePair says which of the two files is to blame. The errors of crypto/tls hold nothing of the key.
func (d *decoder) unusablePair(t *TLS, path string, err error) {
	text := strings.TrimPrefix(err.Error(), "tls: ")
	switch {
	case strings.Contains(text, "does not match"):
		d.add(d.near(path, "key_file"), path+".key_file", "this key does not belong to the certificate in cert_file", quoted(t.KeyFile),
			"name the private key for which the certificate was made; the gateway's own certificate stands first in cert_file")
	case strings.Contains(text, "private key"):
		d.add(d.near(path, "key_file"), path+".key_file", "not a usable key: "+text, quoted(t.KeyFile), "name a PEM file with an RSA, ECDSA or Ed25519 key")
	default:
		d.add(d.near(path, "cert_file"), path+".cert_file", "not a usable certificate: "+text, quoted(t.CertFile), "name a PEM file with an X.509 certificate")
	}
}
