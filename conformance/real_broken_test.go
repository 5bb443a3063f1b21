package conformance

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
	"gantry/negotiate"
)

// brokenTimeout is that of the checks here: long enough for a healthy peer on a busy machine, short enough
// to wait for.
const brokenTimeout = 3 * time.Second

// comesBack waits until a check is healthy again.
func comesBack(t *testing.T, ctx context.Context, c negotiate.Check) {
	t.Helper()
	require.NoError(t, peers.Until(ctx, c.Name+" is healthy again", func() error {
		_, err := healthy(ctx, c)
		return err
	}))
}

// frozen is what each kind says of a process that the kernel still accepts connections for. The kind connect
// sees nothing, which is why it is no more than a last resort.
var frozen = map[string]string{
	"dicom-associate": "accepts TCP but does not answer an association request within 3 s: process hung or its single listener thread is blocked",
	"dicom-echo":      "accepts TCP but does not answer an association request within 3 s: process hung or its single listener thread is blocked",
	"dicom-find":      "accepts TCP but does not answer an association request within 3 s: process hung or its single listener thread is blocked",
	"dicom-store":     "accepts TCP but does not answer an association request within 3 s: process hung or its single listener thread is blocked",
	"mllp": "accepts TCP but does not acknowledge a message within 3 s: its channel is stopped or paused, it is hung, " +
		"or other senders hold all its connections",
	"http":    "accepts TCP but does not finish the TLS handshake within 3 s: the process hangs, or this port does not speak TLS",
	"tls":     "accepts TCP but does not finish the TLS handshake within 3 s: the process hangs, or this port does not speak TLS",
	"connect": "",
}

// TestFrozenProcessIsNoticed: a process that hangs (SIGSTOP) is noticed by every kind that asks it something,
// each says what it is, and all are content when the process goes on.
func TestFrozenProcessIsNoticed(t *testing.T) {
	eachStand(t, func(t *testing.T, ctx context.Context, s *standing) {
		for i := range s.checks {
			s.checks[i].Timeout = brokenTimeout
			_, err := healthy(ctx, s.checks[i])
			require.NoError(t, err, s.checks[i].Name)
		}
		require.NoError(t, s.Freeze(ctx))
		results := allAtOnce(ctx, s.checks)
		for i, c := range s.checks {
			said := ""
			if f := results[i].Fault; f != nil {
				said = f.Sentence
				require.Equal(t, negotiate.ReasonTimeout, f.Reason, c.Name)
			}
			expected, known := frozen[c.Kind]
			require.True(t, known, "say above what %s says of a process that hangs", c.Kind)
			require.Equal(t, expected, said, c.Name)
		}
		require.NoError(t, s.Thaw())
		thawed := time.Now()
		for _, c := range s.checks {
			comesBack(t, ctx, c)
		}
		t.Logf("%d checks were healthy again %.1f s after the process went on", len(s.checks), time.Since(thawed).Seconds())
	})
}

// allAtOnce makes the checks side by side.
func allAtOnce(ctx context.Context, checks []negotiate.Check) []negotiate.Result {
	results := make([]negotiate.Result, len(checks))
	var all sync.WaitGroup
	for i, c := range checks {
		all.Go(func() { results[i] = negotiate.Run(ctx, c) })
	}
	all.Wait()
	return results
}

// TestBrokenStorageIsNoticed: an archive whose storage is gone still answers C-ECHO, searches and HTTP. Only
// who stores something learns of it.
func TestBrokenStorageIsNoticed(t *testing.T) {
	need(t, "Orthanc", "echoscu")
	ctx := within(t, 2*time.Minute)
	o, err := peers.StartOrthanc(ctx, "broken", t.TempDir())
	require.NoError(t, err)
	t.Cleanup(o.Stop)
	store := checkOf(t, o.DICOM, of("dicom-store"))
	store.Timeout = brokenTimeout
	blind := append(checksOf(t, o.DICOM, of("dicom-echo"), of("dicom-find")),
		checkOf(t, strings.TrimPrefix(o.REST, "http://"), of("http", "path", "/system")))
	all := append(blind, store)
	for _, c := range all {
		_, err := healthy(ctx, c)
		require.NoError(t, err, c.Name)
	}
	require.NoError(t, o.BreakStorage())
	r := negotiate.Run(ctx, store)
	require.NotNil(t, r.Fault)
	require.Equal(t, "accepts the association but does not answer C-STORE within 3 s: its storage hangs, or its workers are all busy",
		r.Fault.Sentence)
	for _, c := range blind {
		_, err := healthy(ctx, c)
		require.NoError(t, err, "%s does not notice", c.Name)
	}
	require.NoError(t, o.MendStorage())
	for _, c := range all {
		comesBack(t, ctx, c)
	}
}
