package config

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// reading is one text and what becomes of it: a value, or a problem.
type reading struct {
	name, text string
	want       any
	problem    string
}

func checkReadings(t *testing.T, parse func(string) (any, error), readings []reading) {
	t.Helper()
	for _, r := range readings {
		t.Run(r.name, func(t *testing.T) {
			got, err := parse(r.text)
			if r.problem != "" {
				require.ErrorContains(t, err, r.problem)
				return
			}
			require.NoError(t, err)
			require.Equal(t, r.want, got)
		})
	}
}

func TestDuration(t *testing.T) {
	checkReadings(t, parseDuration, []reading{
		{"seconds", "5s", 5 * time.Second, ""},
		{"milliseconds", "250ms", 250 * time.Millisecond, ""},
		{"fraction", "1.5h", 90 * time.Minute, ""},
		{"sum", "1h30m", 90 * time.Minute, ""},
		{"days", "7d", 168 * time.Hour, ""},
		{"zero without unit", "0", time.Duration(0), ""},
		{"zero with unit", "0s", time.Duration(0), ""},
		{"negative is left to the bounds", "-5s", -5 * time.Second, ""},
		{"too long is left to the bounds", "99999999999999999h", time.Duration(1<<63 - 1), ""},
		{"no unit", "5", nil, "unit is missing; write 5s for seconds"},
		{"negative without unit", "-5", nil, "unit is missing"},
		{"space", "5 s", nil, "not a duration"},
		{"word", "soon", nil, "not a duration"},
		{"two dots", "1.2.3s", nil, "not a duration"},
		{"nanoseconds", "5ns", nil, "not a duration"},
		{"empty", "", nil, "not a duration"},
		{"unit first", "s5", nil, "not a duration"},
	})
}

func TestPercent(t *testing.T) {
	checkReadings(t, parsePercent, []reading{
		{"whole", "20%", 0.2, ""},
		{"fraction", "12.5%", 0.125, ""},
		{"no sign", "20", nil, "write it as 20%"},
		{"no sign, another number", "75", nil, "write it as 75%"},
		{"share", "0.2", nil, "write it as 20%"},
		{"negative", "-5%", nil, "not a percentage"},
	})
}

func TestSize(t *testing.T) {
	checkReadings(t, parseSize, []reading{
		{"bytes", "512B", 512, ""},
		{"kibibytes", "64KiB", 64 << 10, ""},
		{"mebibytes", "16MiB", 16 << 20, ""},
		{"gibibytes", "2GiB", 2 << 30, ""},
		{"no unit", "16", nil, "not a size"},
		{"decimal unit", "16MB", nil, "not a size"},
		{"negative", "-1MiB", nil, "not a size"},
		{"too large", "99999999999GiB", nil, "size is too large"},
		{"more than a number", "999999999999999999999999B", nil, "size is too large"},
	})
}

func TestInt(t *testing.T) {
	checkReadings(t, parseInt, []reading{
		{"plain", "104", 104, ""},
		{"zero", "0", 0, ""},
		{"negative", "-7", -7, ""},
		{"octal or decimal", "010", nil, "not a plain decimal number"},
		{"hexadecimal", "0x10", nil, "not a plain decimal number"},
		{"grouped", "1_000", nil, "not a plain decimal number"},
		{"signed", "+5", nil, "not a plain decimal number"},
	})
}

func TestListenAddress(t *testing.T) {
	checkReadings(t, parseListen, []reading{
		{"IPv4", "10.0.0.1:104", netip.MustParseAddrPort("10.0.0.1:104"), ""},
		{"IPv6", "[fd00::1]:104", netip.MustParseAddrPort("[fd00::1]:104"), ""},
		{"IPv4 written as IPv6", "[::ffff:10.0.0.1]:104", netip.MustParseAddrPort("10.0.0.1:104"), ""},
		{"a zone", "[fe80::1%eth0]:104", netip.MustParseAddrPort("[fe80::1%eth0]:104"), ""},
		{"any port", "127.0.0.1:0", netip.MustParseAddrPort("127.0.0.1:0"), ""},
		{"star", "*:104", nil, "write 0.0.0.0:104"},
		{"no host", ":104", nil, "write 0.0.0.0:104"},
		{"no port", "10.0.0.1", nil, "write 10.0.0.1:PORT"},
		{"colon, no port", "10.0.0.1:", nil, "write 10.0.0.1:PORT"},
		{"IPv6, no port", "fd00::1", nil, "write [fd00::1]:PORT"},
		{"name", "pacs:104", nil, "names are not looked up here"},
		{"port word", "10.0.0.1:dicom", nil, "not a port"},
		{"port with a zero", "10.0.0.1:0104", nil, "not a port"},
		{"negative port", "10.0.0.1:-1", nil, "not a port"},
		{"empty", "", nil, "port is missing"},
	})
}

func TestServerAddress(t *testing.T) {
	tests := []struct {
		name, text, host string
		port             int
		problem          string
	}{
		{"IPv4", "10.0.1.1", "10.0.1.1", 0, ""},
		{"IPv4 and port", "10.0.1.1:104", "10.0.1.1", 104, ""},
		{"name", "pacs-1", "pacs-1", 0, ""},
		{"name and port", "pacs_1.example.org:11112", "pacs_1.example.org", 11112, ""},
		{"name with a final dot", "pacs.example.org.:104", "pacs.example.org.", 104, ""},
		{"IPv6 bare", "fd00::2", "fd00::2", 0, ""},
		{"IPv6 in brackets", "[fd00::2]", "fd00::2", 0, ""},
		{"IPv6 and port", "[fd00::2]:104", "fd00::2", 104, ""},
		{"IPv4 as IPv6", "::ffff:10.0.1.1", "10.0.1.1", 0, ""},
		{"empty", "", "", 0, "host is missing"},
		{"port only", ":104", "", 0, "host is missing"},
		{"URL", "http://pacs/", "", 0, "this is a URL"},
		{"path", "pacs/x", "", 0, "not a host"},
		{"number too large", "10.0.1.256", "", 0, "not an IP address"},
		{"three numbers", "10.0.1", "", 0, "not an IP address"},
		{"blank", "pacs 1", "", 0, "not a host"},
		{"dash at the end", "pacs-.example", "", 0, "not a host"},
		{"label too long", strings.Repeat("a", 64), "", 0, "not a host"},
		{"name too long", strings.Repeat("a.", 130) + "b", "", 0, "not a host"},
		{"port 0", "10.0.1.1:0", "", 0, "not a port"},
		{"too many colons", "a:b:c", "", 0, "not an address"},
		{"open bracket", "[fd00::2", "", 0, "not an address"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			host, port, err := splitAddress(tt.text)
			if tt.problem != "" {
				require.ErrorContains(t, err, tt.problem)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.host, host)
			require.Equal(t, tt.port, port)
		})
	}
}

func TestNetwork(t *testing.T) {
	checkReadings(t, parseNetwork, []reading{
		{"IPv4", "10.0.0.0/8", netip.MustParsePrefix("10.0.0.0/8"), ""},
		{"IPv6", "fd00::/8", netip.MustParsePrefix("fd00::/8"), ""},
		{"one IPv4 address", "10.1.2.3", netip.MustParsePrefix("10.1.2.3/32"), ""},
		{"one IPv6 address", "fd00::1", netip.MustParsePrefix("fd00::1/128"), ""},
		{"everything", "0.0.0.0/0", netip.MustParsePrefix("0.0.0.0/0"), ""},
		{"bits behind the prefix", "10.1.2.3/8", nil, "write 10.0.0.0/8, or 10.1.2.3"},
		{"prefix too long", "10.0.0.0/33", nil, "not a network"},
		{"netmask", "10.0.0.0/255.0.0.0", nil, "not a network"},
		{"IPv4 as IPv6", "::ffff:10.0.0.0/104", nil, "not a network"},
		{"name", "intranet", nil, "not a network"},
	})
}

func TestNearest(t *testing.T) {
	keys := []string{"connect", "handshake", "client", "server", "drain", "fast_interval", "max_connections", "log"}
	tests := []struct{ name, word, want string }{
		{"letter missing", "conect", "connect"},
		{"letter too many", "connnect", "connect"},
		{"letters swapped", "cleint", "client"},
		{"wrong letter", "drein", "drain"},
		{"dash for underscore", "fast-interval", "fast_interval"},
		{"camel case", "fastInterval", "fast_interval"},
		{"capital", "Client", "client"},
		{"plural", "servers", "server"},
		{"longer", "logging", "log"},
		{"word of another product", "maxconn", "max_connections"},
		{"nothing near", "zebra", ""},
		{"short words do not match everything", "xy", ""},
		{"very long", strings.Repeat("client", 1000), "client"},
		{"empty", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, nearest(tt.word, keys)) })
	}
}
