package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const smallest = "services:\n  - {name: A, protocol: dicom, listen: [10.0.0.1:104, 10.0.0.1:11112], servers: [{name: A1, address: 10.0.1.1}]}\n"

func parsed(t *testing.T, text string) *Config {
	t.Helper()
	c, problems := Parse("gantry.yaml", []byte(text), testEnv)
	require.Empty(t, problems)
	return c
}

func problemsOf(t *testing.T, text string) string {
	t.Helper()
	c, problems := Parse("gantry.yaml", []byte(text), testEnv)
	require.Nil(t, c)
	require.NotEmpty(t, problems)
	return problems.Error()
}

// TestDefaults holds an independent copy of the defaults that contract and plan name.
func TestDefaults(t *testing.T) {
	c := parsed(t, smallest)
	require.Equal(t, Admin{Listen: "127.0.0.1:9440"}, c.Admin)
	require.Equal(t, Log{Level: "info", Format: "text"}, c.Log)
	s := c.Services[0]
	require.Equal(t, "l7-snat", s.Mode)
	require.Equal(t, "balance", s.Distribution)
	require.Equal(t, "least-connections", s.Algorithm)
	require.Equal(t, "drain", s.OnDown)
	require.Equal(t, 30*time.Second, s.SlowStart)
	require.Equal(t, Limits{}, s.Limits)
	require.Nil(t, s.Allow)
	require.Equal(t, Timeouts{5 * time.Second, 30 * time.Second, time.Hour, time.Hour, 10 * time.Minute}, s.Timeouts)
	require.Equal(t, Persistence{"source-ip", time.Hour, 100_000}, s.Persistence)
	require.Equal(t, "per-connection", s.MLLP.Routing)
	server := s.Servers[0]
	require.Equal(t, 100, server.Weight)
	require.Zero(t, server.Port, "the port the client came to")
	check := server.Checks[0]
	require.Equal(t, "dicom-echo", check.Type)
	require.Equal(t, "dicom-echo", check.Name)
	require.Equal(t, "10.0.1.1", check.Address)
	require.Equal(t, 104, check.Port, "the first listening port")
	require.Nil(t, check.TLS)
	require.Equal(t, []time.Duration{10 * time.Second, 5 * time.Second, 2 * time.Second, 10 * time.Second},
		[]time.Duration{check.Interval, check.Timeout, check.FastInterval, check.DownInterval})
	require.Equal(t, []any{2, 3, 0.2}, []any{check.Rise, check.Fall, check.Jitter})
}

// TestDefaultChecks: no built-in check changes a record.
func TestDefaultChecks(t *testing.T) {
	for protocol, want := range map[string]string{"tcp": "connect", "mllp": "connect", "dicom": "dicom-echo"} {
		c := parsed(t, strings.Replace(smallest, "dicom", protocol, 1))
		require.Equal(t, want, c.Services[0].Servers[0].Checks[0].Type, protocol)
	}
}

func TestDefaultsBlock(t *testing.T) {
	data, err := os.ReadFile("testdata/good/defaults-last.yaml")
	require.NoError(t, err)
	c := parsed(t, string(data))
	a, b := c.Services[0], c.Services[1]
	require.Equal(t, 5*time.Minute, a.Timeouts.Client, "the service's own")
	require.Equal(t, 20*time.Minute, a.Timeouts.Server, "from defaults")
	require.Equal(t, 5*time.Second, a.Timeouts.Connect, "from the built-in ones")
	require.Equal(t, 10*time.Minute, b.Timeouts.Client)
	require.Equal(t, Persistence{"source-ip", 30 * time.Minute, 5000}, a.Persistence)
	require.Equal(t, Persistence{"none", 30 * time.Minute, 5000}, b.Persistence)
	require.Equal(t, "[10.0.0.0/8 127.0.0.1/32]", fmt.Sprint(a.Allow))
	require.Equal(t, "[192.168.0.0/16]", fmt.Sprint(b.Allow), "a list is replaced as a whole")
	require.Equal(t, "close", b.OnDown)
	require.Equal(t, "http", a.Servers[0].Checks[0].Type)
	require.Equal(t, "connect", b.Servers[0].Checks[0].Type)
}

func TestChecks(t *testing.T) {
	data, err := os.ReadFile("testdata/good/checks.yaml")
	require.NoError(t, err)
	s := parsed(t, string(data)).Services[0]
	first, second := s.Servers[0].Checks, s.Servers[1].Checks
	require.Equal(t, "as-ct", first[0].Name)
	require.Equal(t, 2*time.Minute, first[0].Timeout, "longer than interval is allowed")
	require.Equal(t, 90*time.Minute, first[0].DownInterval)
	require.Equal(t, 0.125, first[0].Jitter)
	require.Equal(t, 500*time.Millisecond, first[1].Timeout, "the default never exceeds interval")
	require.Equal(t, 500*time.Millisecond, first[1].FastInterval)
	require.Equal(t, "pacs-1.example.org", first[0].Address)
	require.Equal(t, []any{"fd00::2", 8443, "pacs-2.example.org"}, []any{second[0].Address, second[0].Port, second[0].TLS.ServerName})
	require.Equal(t, []any{"fd00::3", 105, true}, []any{second[1].Address, second[1].Port, second[1].TLS.Verify})
}

// TestFingerprint: equal settings have equal fingerprints, and every setting counts.
func TestFingerprint(t *testing.T) {
	of := func(check string) string {
		text := strings.Replace(smallest, "servers:", "checks: ["+check+"], servers:", 1)
		return parsed(t, text).Services[0].Servers[0].Checks[0].Fingerprint
	}
	base := of("{type: http, path: /a}")
	require.Equal(t, base, of("{path: /a, type: http, interval: 10s}"), "a default that is written out")
	for _, other := range []string{
		"{type: http, path: /b}", "{type: http, path: /a, interval: 11s}", "{type: http, path: /a, tls: {}}",
		"{type: http, path: /a, port: 105}", "{type: http, path: /a, address: 10.0.1.2}", "{type: http, path: /a, name: x}",
		"{type: http, path: /a, expect_status: [204]}", "{type: connect}",
	} {
		require.NotEqual(t, base, of(other), other)
	}
}

// TestAuthorities: what ca_file holds belongs to the configuration, and to the fingerprint.
func TestAuthorities(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := strings.Replace(smallest, "servers:", "checks: [{type: connect, tls: {ca_file: "+file+"}}], servers:", 1)
	fingerprints := map[string]bool{}
	for range 2 {
		pem := certificate(t)
		require.NoError(t, os.WriteFile(file, pem, 0o600))
		check := parsed(t, text).Services[0].Servers[0].Checks[0]
		require.Equal(t, pem, check.TLS.CA)
		fingerprints[check.Fingerprint] = true
	}
	require.Len(t, fingerprints, 2, "a new file under the old name is a change")
}

// certificate makes a self-signed one.
func certificate(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func TestHTTPSImpliesTLS(t *testing.T) {
	text := strings.Replace(smallest, "servers:", "checks: [{type: http, scheme: https}], servers:", 1)
	check := parsed(t, text).Services[0].Servers[0].Checks[0]
	require.NotNil(t, check.TLS)
	require.True(t, check.TLS.Verify)
	require.Empty(t, check.TLS.ServerName, "the server's host")
}

func TestHash(t *testing.T) {
	sum := sha256.Sum256([]byte(smallest))
	require.Equal(t, hex.EncodeToString(sum[:]), parsed(t, smallest).Hash)
	require.NotEqual(t, parsed(t, smallest).Hash, parsed(t, smallest+"\n").Hash, "of the bytes, not of their meaning")
}

func TestSecrets(t *testing.T) {
	with := func(token string) string { return "admin:\n  token: " + token + "\n" + smallest }
	t.Run("from the environment", func(t *testing.T) {
		c := parsed(t, with("${GANTRY_TOKEN}"))
		require.Equal(t, "0123456789abcdef0123", c.Admin.Token)
		sum := sha256.Sum256([]byte(with("${GANTRY_TOKEN}")))
		require.Equal(t, hex.EncodeToString(sum[:]), c.Hash, "the reference is hashed, not the secret")
	})
	t.Run("from a file, without its line end", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "token")
		require.NoError(t, os.WriteFile(file, []byte("a-long-enough-secret\r\n"), 0o600))
		require.Equal(t, "a-long-enough-secret", parsed(t, with("file:"+file)).Admin.Token)
	})
	for name, tt := range map[string]struct{ ref, problem string }{
		"empty variable":     {"${GANTRY_EMPTY}", "environment variable GANTRY_EMPTY is empty"},
		"blanks":             {"${GANTRY_SPACE}", "holds characters that a token cannot have"},
		"text around":        {"x${GANTRY_TOKEN}", "must not stand in the file"},
		"file without name":  {"'file:'", "must not stand in the file"},
		"folder":             {"file:testdata", "cannot read file testdata"},
		"endless file":       {"file:/dev/zero", "file is too large"},
		"list":               {"[a-secret-in-brackets]", "wrong type (got a list)"},
		"nothing":            {"", "value is missing"},
		"anchored and typed": {"!!binary c2VjcmV0LXNlY3JldA==", "YAML tags are not used"},
	} {
		t.Run(name, func(t *testing.T) {
			text := problemsOf(t, with(tt.ref))
			require.Contains(t, text, tt.problem)
			for _, secret := range []string{"0123456789abcdef", "correct horse", "a-secret-in", "c2Vj"} {
				require.NotContains(t, text, secret)
			}
		})
	}
}

// TestSecretsAreNotPrinted: whatever a caller does with a configuration.
func TestSecretsAreNotPrinted(t *testing.T) {
	c := parsed(t, "admin:\n  token: ${GANTRY_TOKEN}\n"+smallest)
	text, err := json.Marshal(c)
	require.NoError(t, err)
	for _, shown := range []string{fmt.Sprint(c), fmt.Sprintf("%+v %#v", *c, *c), fmt.Sprintf("%v %#v", &c.Admin, c.Admin), string(text)} {
		require.NotContains(t, shown, c.Admin.Token)
	}
}

func TestLoad(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "gantry.yaml")
	t.Run("absent", func(t *testing.T) {
		c, data, err := Load(file)
		require.EqualError(t, err, file+": cannot read the file: no such file or directory; name an existing file")
		require.Nil(t, c)
		require.Nil(t, data)
	})
	t.Run("good", func(t *testing.T) {
		require.NoError(t, os.WriteFile(file, []byte(smallest), 0o600))
		c, data, err := Load(file)
		require.NoError(t, err)
		require.Equal(t, smallest, string(data))
		require.Len(t, c.Services, 1)
	})
	t.Run("bad", func(t *testing.T) {
		require.NoError(t, os.WriteFile(file, []byte("services: 5\n"), 0o600))
		c, data, err := Load(file)
		var problems Problems
		require.ErrorAs(t, err, &problems)
		require.Equal(t, file+":1:11: services: wrong type (got 5); write a list: [5]", problems[0].String())
		require.Nil(t, c)
		require.NotNil(t, data)
	})
	t.Run("folder", func(t *testing.T) {
		_, _, err := Load(folder)
		require.ErrorContains(t, err, "is a directory")
	})
	t.Run("endless", func(t *testing.T) {
		_, _, err := Load("/dev/zero")
		require.ErrorContains(t, err, "file is too large")
	})
}

// TestText: what editors and other systems leave in a file.
func TestText(t *testing.T) {
	t.Run("byte order mark", func(t *testing.T) { parsed(t, "\ufeff"+smallest) })
	t.Run("columns after a byte order mark", func(t *testing.T) {
		require.Contains(t, problemsOf(t, "\ufeffservice: 1\n"), "gantry.yaml:1:1: service: unknown key")
	})
	t.Run("line ends of Windows", func(t *testing.T) { parsed(t, strings.ReplaceAll(smallest, "\n", "\r\n")) })
	t.Run("tabs between words", func(t *testing.T) { parsed(t, strings.ReplaceAll(smallest, "name: ", "name:\t")) })
	t.Run("document start and end", func(t *testing.T) { parsed(t, "---\n"+smallest+"...\n") })
	t.Run("columns count characters", func(t *testing.T) {
		require.Contains(t, problemsOf(t, "log: {level: \"ü\", lewel: info}\n"), "gantry.yaml:1:19: log.lewel: unknown key")
	})
	for name, tt := range map[string]struct{ text, want string }{
		"nothing at all":   {"", "gantry.yaml:1:1: file is empty"},
		"null":             {"~\n", "gantry.yaml:1:1: file is empty"},
		"only a start":     {"---\n", "gantry.yaml:1:1: file is empty"},
		"a word":           {"hello\n", `gantry.yaml:1:1: wrong type (got "hello"); write a mapping`},
		"UTF-16":           {"\xff\xfea\x00", "gantry.yaml:1:1: not UTF-8 text (got byte 0xff); save the file as UTF-8"},
		"Latin-1":          {"# a\nlog: {level: \xfc}\n", "gantry.yaml:2:14: not UTF-8 text (got byte 0xfc)"},
		"NUL":              {"log:\n  level: a\x00b\n", "gantry.yaml:2:11: control character (got U+0000)"},
		"escape sequences": {"\x1b[0m", "gantry.yaml:1:1: control character (got U+001B)"},
	} {
		t.Run(name, func(t *testing.T) { require.Contains(t, problemsOf(t, tt.text), tt.want) })
	}
}
