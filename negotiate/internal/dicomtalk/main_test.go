package dicomtalk

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gantry/negotiate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestMessageIDs: each request has its own, never 0, so that a stale answer is noticed.
func TestMessageIDs(t *testing.T) {
	c := NewCaller(NewPeer(negotiate.Target{}, "", ""), Context{})
	require.EqualValues(t, 1, c.nextID())
	require.EqualValues(t, 2, c.nextID())
	c.asked.Store(0xFFFE)
	require.EqualValues(t, 0xFFFF, c.nextID())
	require.EqualValues(t, 1, c.nextID())
}

// TestTitles: the check's called AE title, else the server's, else the default.
func TestTitles(t *testing.T) {
	for _, tt := range []struct{ check, server, want string }{
		{"", "", "ANY-SCP"}, {"", "NODE1", "NODE1"}, {" VNA ", "NODE1", "VNA"}, {" ", " NODE1", "NODE1"},
	} {
		require.Equal(t, tt.want, NewPeer(negotiate.Target{AETitle: tt.server}, tt.check, "").Called)
	}
	require.Equal(t, "GANTRY", NewPeer(negotiate.Target{}, "", "").Calling)
	require.Equal(t, "the server", NewPeer(negotiate.Target{}, "", "").Server)
}

func TestFragmentLen(t *testing.T) {
	for announced, want := range map[uint32]int{
		minPDU: 2, 9: 2, 10: 4, 16384: 16378, 4097: 4090, 0: MaxFragment - pdvHead, MaxFragment + 1: MaxFragment - pdvHead, 1<<32 - 1: MaxFragment - pdvHead,
	} {
		require.Equal(t, want, (&Talk{maxSend: announced}).fragmentLen(), announced)
	}
}

func TestIsUID(t *testing.T) {
	for uid, want := range map[string]bool{
		"1.2.840.10008.1.1": true, "0.0": true, "2.25.1": true, "": false, ".": false, "1..2": false, "1.02": false,
		"1.2.": false, "1.2.a": false, "1 2": false, ImplementationClassUID: true,
		"1." + strings.Repeat("2", 62): true, "1." + strings.Repeat("2", 63): false,
	} {
		require.Equal(t, want, isUID(uid), uid)
	}
}
