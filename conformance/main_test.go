package conformance

import (
	"context"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
)

// TestMain runs the suites, or, in a process that a test has started, plays that test's helper. At the
// end it names everything that was left out.
func TestMain(m *testing.M) {
	if role := os.Getenv(helperRole); role != "" {
		os.Exit(helper(role))
	}
	dir, err := os.MkdirTemp("", "gantry-conformance-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	builds.dir = dir
	code := m.Run()
	os.RemoveAll(dir)
	skips.print()
	os.Exit(code)
}

// builds are the two programs under test, each built when the first test asks for it.
var builds struct {
	dir         string
	plain, race build
}

type build struct {
	once    sync.Once
	program string
	err     error
}

// plain is the program as it is shipped: for figures of memory and descriptors.
func plain(t *testing.T) string { return builds.plain.get(t, false) }

// raced is the program under the race detector: for everything else.
func raced(t *testing.T) string { return builds.race.get(t, true) }

func (b *build) get(t *testing.T, race bool) string {
	t.Helper()
	b.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		b.program, b.err = peers.Build(ctx, builds.dir, race)
	})
	require.NoError(t, b.err)
	return b.program
}

// skips remembers which tests were left out and why.
var skips skipList

type skipList struct {
	mu   sync.Mutex
	list []string
}

// need skips the test when a program is missing. On the build machine that is a failure: a promise that
// nobody checked is not kept.
func need(t *testing.T, programs ...string) {
	t.Helper()
	missing := peers.Missing(programs...)
	if missing == nil {
		return
	}
	why := "not installed: " + strings.Join(missing, ", ")
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	skips.mu.Lock()
	skips.list = append(skips.list, t.Name()+": "+why)
	skips.mu.Unlock()
	t.Skip(why)
}

func (s *skipList) print() {
	if len(s.list) == 0 {
		return
	}
	sort.Strings(s.list)
	fmt.Printf("\n!!! NOT CHECKED, because programs are missing (`make peers` installs them):\n!!!   %s\n\n",
		strings.Join(s.list, "\n!!!   "))
}
