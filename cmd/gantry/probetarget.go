package main

import (
	"net"
	"net/url"
	"strconv"
	"strings"
)

// target is whom a probe talks to, and what a URL says beyond that.
type target struct {
	host   string // without brackets
	port   int
	scheme string // of a URL: http or https; else empty
	path   string // of a URL, with its query; empty when it has none
}

func (t target) address() string { return net.JoinHostPort(t.host, strconv.Itoa(t.port)) }

// parseTarget reads HOST:PORT, or a URL where the kind has use for one.
func parseTarget(text string, h kindHelp) (target, error) {
	if strings.Contains(text, "://") {
		if !h.url {
			return target{}, badUsage("this kind of check takes HOST:PORT, no URL; got %q", printable(text))
		}
		return parseURL(text)
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil || port == "" {
		return target{}, badUsage("%q has no port; write HOST:PORT or [IPv6]:PORT%s", printable(text), h.aboutPort())
	}
	n, err := strconv.Atoi(port)
	switch {
	case err != nil || n < 1 || n > 65535:
		return target{}, badUsage("%q is not a port; it is a number from 1 to 65535", printable(port))
	case !isHost(host):
		return target{}, badUsage("%q is not a host; write HOST:PORT", printable(host))
	}
	return target{host: host, port: n}, nil
}

func (h kindHelp) aboutPort() string {
	switch {
	case h.port != "":
		return "; " + h.port
	case h.url:
		return ", or a URL such as https://viewer.example/login"
	}
	return ""
}

// isHost refuses what can be no name and no address. Whether it exists, the check will say.
func isHost(host string) bool {
	return host != "" && len(host) <= 253 && !strings.ContainsFunc(host, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`/@?#\"'<>[]`, r)
	})
}

// defaultPorts are those of the two schemes.
var defaultPorts = map[string]int{"http": 80, "https": 443}

// parseURL takes a URL apart. A password in it would already stand in the shell's history; it is not sent on too.
func parseURL(text string) (target, error) {
	u, err := url.Parse(text)
	if err != nil {
		return target{}, badUsage("%q is not a URL", printable(text))
	}
	t := target{host: u.Hostname(), scheme: strings.ToLower(u.Scheme), path: u.RequestURI()}
	t.port = defaultPorts[t.scheme]
	switch n, err := strconv.Atoi(u.Port()); {
	case t.port == 0:
		return target{}, badUsage("%q is not a scheme to check; use http or https", printable(u.Scheme))
	case u.User != nil:
		return target{}, badUsage("a URL with a user or a password is not taken: both would show in logs")
	case u.Fragment != "":
		return target{}, badUsage("what stands behind # in a URL is never sent to a server; leave it out")
	case !isHost(t.host):
		return target{}, badUsage("%q names no host", printable(text))
	case u.Port() != "" && (err != nil || n < 1 || n > 65535):
		return target{}, badUsage("%q is not a port; it is a number from 1 to 65535", printable(u.Port()))
	case u.Port() != "":
		t.port = n
	}
	if u.Path == "" && u.RawQuery == "" {
		t.path = "" // the kind's own default
	}
	return t, nil
}
