package conformance

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
)

// crowdMembers starts a crowd against addr and returns how many of it were served.
func crowdMembers(t *testing.T, ctx context.Context, addr string, count int) (*peers.Process, int) {
	t.Helper()
	p := startHelper(t, "crowd", addr, count)
	line, err := p.Await(ctx, "served ")
	require.NoError(t, err)
	var served int
	_, err = fmt.Sscanf(line, "served %d", &served)
	require.NoError(t, err)
	return p, served
}

// TestMoreClientsThanDescriptors: a gateway that may open 256 descriptors meets 1,000 clients who stay. It
// serves those it can, says why it refuses the others, and serves newcomers as soon as the crowd leaves.
func TestMoreClientsThanDescriptors(t *testing.T) {
	ctx := within(t, 2*time.Minute)
	addr := peers.FreeAddr()
	g, err := peers.StartGantryLimited(ctx, raced(t), t.TempDir(), tcpService(addr, serve(t, echo)), 256)
	require.NoError(t, err)
	t.Cleanup(func() { farewell(t, g) })

	crowd, served := crowdMembers(t, ctx, addr, 1000)
	require.Positive(t, served, "clients served during the crowd")
	require.Less(t, served, 1000, "nobody serves 1,000 clients with 256 descriptors")
	require.NoError(t, crowd.Signal(syscall.SIGUSR1))
	_, err = crowd.Await(ctx, fmt.Sprintf("alive %d\n", served))
	require.NoError(t, err, "the served ones must not suffer from the refused ones")
	require.Regexp(t, regexp.MustCompile(`(?i)descriptor|nofile`), g.Log(), "why clients are refused")

	crowd.Kill()
	soon := within(t, 5*time.Second)
	require.NoError(t, peers.Until(soon, "a newcomer is served", func() error {
		c, err := dialQuick(addr)
		if err != nil {
			return err
		}
		defer c.Close()
		return exchange(c)
	}))
	status, err := g.Status(ctx)
	require.NoError(t, err)
	require.NotEmpty(t, status.Services)
	require.Less(t, strings.Count(g.Log(), "\n"), 50, "a refusal is said, not shouted once a client:\n%s", g.Log())
	t.Logf("%d of 1,000 were served; the gateway wrote:\n%s", served, g.Log())
}

// TestThousandsOfIdleSessions: 8,000 sessions that say nothing hold two descriptors each and little
// memory, and all of them still work. Client, gateway and server are processes of their own, because one
// of them alone already needs 16,000 descriptors.
func TestThousandsOfIdleSessions(t *testing.T) {
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	n := min(8000, int(limit.Max-400)/2) // a machine with a lower hard limit shows it with fewer
	ctx := within(t, 3*time.Minute)
	server := peers.FreeAddr()
	_, err := startHelper(t, "echo-server", server, 0).Await(ctx, "listening")
	require.NoError(t, err)
	middle := relayTo(t, plain, server)
	memory := rss(t, middle)
	before, err := middle.Descriptors()
	require.NoError(t, err)

	crowd, served := crowdMembers(t, ctx, middle.addr, n)
	require.Equal(t, n, served)
	after, err := middle.Descriptors()
	require.NoError(t, err)
	require.LessOrEqual(t, after-before, 2*n+100, "descriptors of %d sessions", n)
	grown := rss(t, middle) - memory
	require.Less(t, grown/int64(n), int64(16<<10), "bytes of memory a session")
	require.NoError(t, crowd.Signal(syscall.SIGUSR1))
	_, err = crowd.Await(ctx, fmt.Sprintf("alive %d\n", n))
	require.NoError(t, err)
	t.Logf("%d idle sessions: %.2f descriptors and %.1f kB of memory each",
		n, float64(after-before)/float64(n), float64(grown)/1024/float64(n))
}
