package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// These files are made to use up memory or time; each meets a named limit.

func TestTooLarge(t *testing.T) {
	text := problemsOf(t, "# "+strings.Repeat("x", MaxFileSize))
	require.Equal(t, fmt.Sprintf("gantry.yaml: file is too large (got %d bytes); at most 4194304 bytes", MaxFileSize+2), text)
}

func TestTooDeep(t *testing.T) {
	for name, text := range map[string]string{
		"brackets":    strings.Repeat("[", 100_000),
		"braces":      strings.Repeat("{a: ", 100_000),
		"indentation": "a:\n" + blocks(200),
	} {
		t.Run(name, func(t *testing.T) { require.Contains(t, problemsOf(t, text), "max depth of 64") })
	}
}

func blocks(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i+1) + "a:\n")
	}
	return b.String()
}

// TestAliasBomb: ten lists of ten aliases each would be ten thousand million values.
func TestAliasBomb(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 10; i++ {
		ref := fmt.Sprintf("*a%d", i-1)
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.Join(slicesOf(ref, 10), ", "))
	}
	b.WriteString("services: *a9\n")
	text := problemsOf(t, b.String())
	require.Contains(t, text, "services[0]: wrong type (got a list)", "an alias is followed only where its type fits")
	require.Less(t, len(text), 10_000)
}

// TestManyValues: the largest lists allowed, all by alias, still meet the bound on values.
func TestManyValues(t *testing.T) {
	var b strings.Builder
	b.WriteString("services:\n  - &s\n    name: A\n    protocol: tcp\n    listen: [10.0.0.1:1]\n    checks: &c\n")
	for i := range 16 {
		fmt.Fprintf(&b, "      - {type: connect, name: c%d}\n", i)
	}
	b.WriteString("    servers:\n")
	for i := range 256 {
		fmt.Fprintf(&b, "      - {name: s%d, address: 10.0.1.%d, checks: *c}\n", i, i)
	}
	b.WriteString(strings.Repeat("  - *s\n", 999))
	d := newDecoder("gantry.yaml", testEnv)
	require.Equal(t, 500_000, d.most)
	d.most = 20_000 // the same, sooner
	_, problems := d.decode([]byte(b.String()))
	require.Contains(t, problems.Error(), "more than 20000 values in one file")
	require.InDelta(t, d.most, d.visited, 3000, "the rest is not walked through")
}

func TestManyProblems(t *testing.T) {
	text := "services:\n" + strings.Repeat("  - {zebra: 1, lion: 2}\n", 900)
	_, problems := Parse("gantry.yaml", []byte(text), testEnv)
	require.Equal(t, MaxProblems+1, len(problems))
	require.Equal(t, "gantry.yaml: more than 1000 problems; the rest is not shown", problems[MaxProblems].String())
	require.Equal(t, 2, problems[0].Line)
}

func TestManyKeys(t *testing.T) {
	var b strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&b, "key%d: 1\n", i)
	}
	text := problemsOf(t, b.String())
	require.Contains(t, text, "gantry.yaml:1:1: mapping is too long (got 50000 keys); at most 256 keys\n")
	require.NotContains(t, text, "key256")
}

// TestOddKeys: a key that is no word is quoted and shortened.
func TestOddKeys(t *testing.T) {
	require.Equal(t, `gantry.yaml:1:7: log."two words": unknown key; accepted: level, format, sessions`,
		problemsOf(t, "log: {two words: 1}\n"+smallest))
	text := problemsOf(t, "log: {? "+strings.Repeat("k", 100_000)+" : 1}\n"+smallest)
	require.Less(t, len(text), 300)
}

func TestLongLists(t *testing.T) {
	service := func(i int) string {
		return fmt.Sprintf("  - {name: S%d, protocol: tcp, listen: [10.0.0.1:%d], servers: [{name: A, address: 10.0.1.1:1}]}\n", i, 1000+i)
	}
	var most strings.Builder
	most.WriteString("services:\n")
	for i := range 1000 {
		most.WriteString(service(i))
	}
	require.Len(t, parsed(t, most.String()).Services, 1000)
	require.Equal(t, "gantry.yaml:2:3: services: list is too long (got 1001); at most 1000 allowed", problemsOf(t, most.String()+service(1000)))

	var servers []string
	for i := range 257 {
		servers = append(servers, fmt.Sprintf("{name: s%d, address: 10.0.%d.1}", i, i%250+1))
	}
	text := fmt.Sprintf("services: [{name: A, protocol: tcp, listen: [10.0.0.1:1], servers: [%s]}]\n", strings.Join(servers, ", "))
	require.Contains(t, problemsOf(t, text), "list is too long (got 257); at most 256 allowed")
}

// TestLongValues: a problem repeats only the beginning of what stands there.
func TestLongValues(t *testing.T) {
	text := problemsOf(t, "log: {level: "+strings.Repeat("é", 100_000)+"}\n")
	require.Less(t, len(text), 400)
	require.Contains(t, text, "é…\"")
}

func slicesOf(s string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = s
	}
	return out
}
