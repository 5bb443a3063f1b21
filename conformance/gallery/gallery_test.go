package gallery

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gantry/negotiate"
)

var update = flag.Bool("update", false, "write docs/failure-gallery.md anew")

// together is how many failures are played at the same time: most of them wait.
const together = 16

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", strconv.Itoa(together))
	code := m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	_ = os.RemoveAll(files.folder)
	os.Exit(code)
}

// size is how many failures the gallery has.
const size = 62

// said are the telling results of the scenes, by failure and scene, counted from 0.
var said struct {
	sync.Mutex
	results map[[2]int]negotiate.Result
}

func remember(number, scene int, r negotiate.Result) {
	said.Lock()
	defer said.Unlock()
	if said.results == nil {
		said.results = map[[2]int]negotiate.Result{}
	}
	said.results[[2]int{number, scene}] = r
}

// TestGallery lets each failing server meet the checks that are fooled by it, and those that are not.
func TestGallery(t *testing.T) {
	for _, f := range failures() {
		t.Run(strconv.Itoa(f.number), func(t *testing.T) {
			t.Parallel()
			f.fool(t)
			for i, s := range f.scenes {
				remember(f.number, i, s.meet(t, f))
			}
		})
	}
}

// fool runs the checks that find nothing wrong.
func (f failure) fool(t *testing.T) {
	for _, c := range f.shallow() {
		for _, p := range f.peers(c) {
			r := negotiate.Run(t.Context(), c.aimed(t, f.at, p.start(t)))
			require.Equal(t, healthy, verdictOf(r), "%s should be fooled; it says: %v", c.line(f.at), r.Words())
		}
	}
}

// shallow are all checks that are fooled.
func (f failure) shallow() []check {
	if !f.played() {
		return nil
	}
	return append([]check{{kind: "connect"}}, f.fooled...)
}

// played reports whether there is a server at all.
func (f failure) played() bool { return f.peer.start != nil || len(f.scenes) > 0 }

// peers are the servers that fool a check: for a connect those of all scenes.
func (f failure) peers(c check) []peer {
	var all []peer
	if f.peer.start != nil {
		all = append(all, f.peer)
	}
	for _, s := range f.scenes {
		all = append(all, s.peer)
	}
	if c.kind != "connect" || len(c.keys) > 0 {
		return all[:1]
	}
	return all
}

// meet runs a scene's check as often as it says, and returns the last result that has something to say.
func (s scene) meet(t *testing.T, f failure) (telling negotiate.Result) {
	for try := 1; ; try++ {
		telling = negotiate.Result{}
		results := s.play(t, f)
		var got []verdict
		health := negotiate.NewHealth(negotiate.Up, s.config(t).Rise, s.config(t).Fall)
		for _, r := range results {
			got = append(got, verdictOf(r))
			health = health.Step(r.Outcome())
			if r.Words() != nil {
				telling = r
			}
		}
		if s.brief && try < briefTries && !slices.Equal(s.says, got) {
			continue
		}
		require.Equal(t, s.says, got, "%s says: %v; stages %v", s.line(f.at), telling.Words(), telling.Stages)
		if len(s.says) > 1 {
			require.Equal(t, s.state, health.State())
		}
		return telling
	}
}

// play runs a scene's check against a new server.
func (s scene) play(t *testing.T, f failure) (results []negotiate.Result) {
	addr := s.peer.start(t)
	for range s.says {
		results = append(results, negotiate.Run(t.Context(), s.aimed(t, f.at, addr)))
	}
	return results
}

// TestEveryFailureIsThere, once, in order, and with an explanation where no check notices it.
func TestEveryFailureIsThere(t *testing.T) {
	all := failures()
	require.Len(t, all, size)
	for i, f := range all {
		require.Equal(t, i+1, f.number)
		for _, text := range []string{f.title, f.users, f.wire, f.at.host} {
			require.NotEmpty(t, text, "failure %d", f.number)
		}
		require.Equal(t, f.by == byCheck, len(f.scenes) > 0, "failure %d", f.number)
		require.False(t, f.by != byCheck && f.others == "", "failure %d: says nothing about why no check notices it", f.number)
		for _, s := range f.scenes {
			require.Contains(t, []bool{len(s.says) == 1, s.state != negotiate.Checking}, true, "failure %d: state after several runs", f.number)
		}
	}
}

// TestOthersAreThere: the tests of other folders that the page names.
func TestOthersAreThere(t *testing.T) {
	names, err := filepath.Glob("../../gateway/*_test.go")
	require.NoError(t, err)
	var sources []byte
	for _, name := range names {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		sources = append(sources, b...)
	}
	named := regexp.MustCompile("`(Test[A-Za-z]+)`")
	for _, f := range failures() {
		for _, found := range named.FindAllStringSubmatch(f.others, -1) {
			require.Contains(t, string(sources), "func "+found[1]+"(t *testing.T)", "failure %d", f.number)
		}
	}
}

// TestPage keeps docs/failure-gallery.md what the checks say. Write it anew with
//
//	go test ./conformance/gallery -update
func TestPage(t *testing.T) {
	for _, f := range failures() {
		for i := range f.scenes {
			if _, ok := said.results[[2]int{f.number, i}]; !ok {
				t.Skip("only some failures were played")
			}
		}
	}
	const name = "../../docs/failure-gallery.md"
	got := page(t, failures())
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(got), 0o644))
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err)
	if at, written, now := difference(string(want), got); at > 0 {
		t.Fatalf("docs/failure-gallery.md is stale; run: go test ./conformance/gallery -update\nline %d: %s\n now said: %s", at, written, now)
	}
}

// difference is the first line, counted from 1, in which two texts differ; 0 when none does.
func difference(a, b string) (at int, ofA, ofB string) {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	as, bs = append(as, make([]string, max(len(bs)-len(as), 0))...), append(bs, make([]string, max(len(as)-len(bs), 0))...)
	for i := range as {
		if as[i] != bs[i] {
			return i + 1, as[i], bs[i]
		}
	}
	return 0, "", ""
}
