package main

import (
	"net"

	"github.com/spf13/pflag"

	"gantry/fixtures/secure"
)

// tlsFlags are how a simulated server speaks TLS.
type tlsFlags struct {
	on        bool
	cert, key string
}

func (t *tlsFlags) add(f *pflag.FlagSet) {
	f.BoolVar(&t.on, "tls", false, "speak TLS, with a certificate made at the start unless --tls-cert says which")
	f.StringVar(&t.cert, "tls-cert", "", "certificate (PEM `FILE`)")
	f.StringVar(&t.key, "tls-key", "", "its key (PEM `FILE`)")
}

// wanted tells whether the server will speak TLS.
func (t *tlsFlags) wanted() bool { return t.on || t.cert != "" }

// identity is the certificate to show; nil is none.
func (t *tlsFlags) identity(listen string) (*secure.Identity, error) {
	switch {
	case (t.cert == "") != (t.key == ""):
		return nil, badUsage("--tls-cert and --tls-key go together")
	case t.cert != "":
		i, err := secure.Load(t.cert, t.key)
		if err != nil {
			return nil, badUsage("--tls-cert, --tls-key: %s", err)
		}
		return i, nil
	case !t.on:
		return nil, nil
	}
	var hosts []string
	if host, _, err := net.SplitHostPort(listen); err == nil && host != "" {
		hosts = append(hosts, host)
	}
	return secure.SelfSigned("gantry simulate", hosts...)
}
