package main

import (
	"crypto/tls"
	"strings"

	"github.com/spf13/pflag"

	"gantry/gateway/config"
)

// sendTLS are the flags about TLS of clients: those of a check's block tls.
type sendTLS struct{ keys *keyFlags }

func newSendTLS() *sendTLS { return &sendTLS{newKeyFlags()} }

func (f *sendTLS) add(set *pflag.FlagSet) {
	f.keys.add(set, config.CheckKey{Key: "tls", Switch: true})
	set.Lookup("tls").Usage = "speak TLS; any flag about certificates and versions of TLS turns it on as well"
	for _, k := range config.CommonKeys() {
		if strings.HasPrefix(k.Key, "tls.") {
			f.keys.add(set, k)
		}
	}
}

// config is how to speak it, as a check of the gateway would; nil is not at all.
func (f *sendTLS) config(s *surroundings) (*tls.Config, error) {
	given := map[string][]string{}
	f.keys.given(given)
	if len(given) == 0 {
		return nil, nil
	}
	if flag := f.keys.byKey["tls"]; flag.set && flag.values[0] == "false" {
		return nil, badUsage("--tls=false and other flags about TLS contradict each other")
	}
	c, problems := config.NewCheck("connect", given, config.Options{Getenv: func(name string) (string, bool) { v := s.getenv(name); return v, v != "" }})
	if len(problems) > 0 {
		return nil, badFlags(problems)
	}
	return c.TLS.Client()
}
