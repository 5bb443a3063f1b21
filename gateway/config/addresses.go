package config

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// parseListen reads an address to listen on. Names are refused: what they stand for could change between two reloads.
func parseListen(text string) (any, error) {
	host, port, err := splitPort(text)
	if err != nil {
		return nil, err
	}
	if host == "" || host == "*" {
		return nil, wrong("IP address is missing", fmt.Sprintf("write 0.0.0.0:%s for every IPv4 address or [::]:%s for every address", port, port))
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return nil, wrong("not an IP address and a port", "write IP:PORT or [IPv6]:PORT; names are not looked up here")
	}
	n, err := parsePort(port, 0)
	if err != nil {
		return nil, err
	}
	return netip.AddrPortFrom(ip.Unmap(), n), nil
}

// parseListenText checks an address to listen on and keeps it as text, in its one usual form.
func parseListenText(text string) (any, error) {
	a, err := parseListen(text)
	if err != nil {
		return nil, err
	}
	return a.(netip.AddrPort).String(), nil
}

// splitPort divides HOST:PORT and says in plain words what is missing.
func splitPort(text string) (host, port string, err error) {
	host, port, err = net.SplitHostPort(text)
	switch {
	case err == nil && port != "":
		return host, port, nil
	case isIPv6(text):
		return "", "", wrong("port is missing", fmt.Sprintf("write [%s]:PORT", text))
	case err == nil || strings.Contains(err.Error(), "missing port"):
		return "", "", wrong("port is missing", fmt.Sprintf("write %s:PORT", strings.TrimSuffix(text, ":")))
	}
	return "", "", wrong("not an address", "write HOST:PORT or [IPv6]:PORT")
}

// isIPv6 tells fd00::1 from HOST:PORT, which also has a colon.
func isIPv6(text string) bool {
	ip, err := netip.ParseAddr(text)
	return err == nil && ip.Is6()
}

// parsePort reads a port in plain decimal digits; least is 0 where the system may choose one.
func parsePort(text string, least int) (uint16, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > 65535 || strconv.Itoa(n) != text {
		return 0, wrong("not a port", "a port is a number from 1 to 65535")
	}
	return uint16(n), nil
}

// parseAddressText checks the address of a server and keeps it as it was written.
func parseAddressText(text string) (any, error) {
	if _, _, err := splitAddress(text); err != nil {
		return nil, err
	}
	return text, nil
}

// splitAddress reads HOST or HOST:PORT; the port is 0 when absent. An IPv6 address needs no brackets without a port.
func splitAddress(text string) (host string, port int, err error) {
	if strings.Contains(text, "://") {
		return "", 0, wrong("this is a URL", "write HOST or HOST:PORT, without scheme and path")
	}
	if h, ok := bareHost(text); ok {
		h, err = parseHost(h)
		return h, 0, err
	}
	h, p, err := splitPort(text)
	if err != nil {
		return "", 0, err
	}
	if h, err = parseHost(h); err != nil {
		return "", 0, err
	}
	n, err := parsePort(p, 1)
	return h, int(n), err
}

// bareHost reports whether the text has no port, and returns it without brackets.
func bareHost(text string) (string, bool) {
	if inner, ok := strings.CutPrefix(text, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		return inner, ok
	}
	return text, isIPv6(text) || !strings.Contains(text, ":")
}

var (
	hostRule    = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\.?$`)
	numericTail = regexp.MustCompile(`(^|\.)[0-9]+\.?$`)
)

// parseHost reads an IP address or a host name (RFC 1123, and underscores, which container networks use). What ends
// in a number must be an IPv4 address, so that 10.12.1.300 is not taken for a name.
func parseHost(text string) (string, error) {
	if ip, err := netip.ParseAddr(text); err == nil {
		return ip.Unmap().String(), nil
	}
	switch {
	case text == "":
		return "", wrong("host is missing", "write HOST or HOST:PORT")
	case numericTail.MatchString(text):
		return "", wrong("not an IP address", "four numbers from 0 to 255, such as 10.12.1.110")
	case len(text) > 253 || !hostRule.MatchString(text):
		return "", wrong("not a host", "write an IP address or a host name")
	}
	return text, nil
}

// parseHostText is parseHost for fields that are text.
func parseHostText(text string) (any, error) { return parseHost(text) }

// parseNetwork reads 10.0.0.0/8; a single address stands for itself.
func parseNetwork(text string) (any, error) {
	if ip, err := netip.ParseAddr(text); err == nil && ip.Zone() == "" {
		return netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Addr().Is4In6() {
		return nil, wrong("not a network", "write an address and a prefix length, such as 10.0.0.0/8 or fd00::/8")
	}
	if p.Masked() != p {
		return nil, wrong("network has bits behind its prefix", fmt.Sprintf("write %s, or %s for the one address", p.Masked(), p.Addr()))
	}
	return p, nil
}
