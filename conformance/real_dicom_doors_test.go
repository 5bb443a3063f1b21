package conformance

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
)

// doors starts a gateway with one dicom service in front of each server and returns where clients come in. The
// services are named D0, D1 and so on, their servers S; each line of options belongs to all. Keys of a server may
// follow its address behind a blank: "127.0.0.1:104 ae_title: NODE7".
func doors(t *testing.T, program, options string, servers ...string) (*peers.Gantry, []string) {
	t.Helper()
	var yaml strings.Builder
	yaml.WriteString("log: {level: debug}\nservices:\n")
	addrs := make([]string, len(servers))
	for i, server := range servers {
		addrs[i] = peers.FreeAddr()
		address, keys, _ := strings.Cut(server, " ")
		fmt.Fprintf(&yaml, "- name: D%d\n  protocol: dicom\n  listen: [%q]\n  timeouts: {drain: 1s}\n  %s\n"+
			"  checks: [{type: connect}]\n  servers: [{name: S, address: %q, %s}]\n", i, addrs[i], options, address, keys)
	}
	g := gateway(t, program, yaml.String())
	for i := range servers {
		require.NoError(t, g.AwaitState(t.Context(), fmt.Sprintf("D%d", i), "S", "up"))
	}
	return g, addrs
}
