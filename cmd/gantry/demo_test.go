package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/fixtures/hl7"
	"gantry/fixtures/hospital"
)

// quickDemo is a demonstration in a hurry that meets no other one.
func quickDemo() demoOptions {
	o := demoDefaults()
	o.admin, o.anyPorts, o.haste, o.talk = "127.0.0.1:0", true, 5, 200*time.Millisecond
	o.checks = demoChecks{Interval: "100ms", Timeout: "700ms", Fast: "100ms", SlowStart: "0s"}
	o.timing = hospital.Timing{First: 300 * time.Millisecond, Every: 4 * time.Second, For: 2500 * time.Millisecond}
	return o
}

// performance is a running demonstration; what it prints can be waited for.
type performance struct {
	*stage
	arrived chan os.Signal
	ended   chan error

	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer for the demonstration's output.
func (p *performance) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *performance) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

func (p *performance) await(t *testing.T, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(p.said(), text) }, patience, time.Millisecond, text)
}

// perform starts a demonstration in a folder for temporary files of its own, which must be empty in the end.
func perform(t *testing.T, s *stage, o demoOptions) *performance {
	t.Helper()
	p := &performance{stage: s, arrived: make(chan os.Signal, 8), ended: make(chan error, 1)}
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	if s.surroundings.out == &s.out {
		s.surroundings.out = p
	}
	s.signals = func(...os.Signal) (<-chan os.Signal, func()) { return p.arrived, func() {} }
	go func() { p.ended <- runDemo(context.Background(), &s.surroundings, o) }()
	t.Cleanup(func() {
		p.arrived <- syscall.SIGTERM // for a test that failed half-way
		left, err := os.ReadDir(temporary)
		require.NoError(t, err)
		require.Empty(t, left)
	})
	return p
}

// finish interrupts the demonstration and returns its error.
func (p *performance) finish(t *testing.T) error {
	t.Helper()
	p.arrived <- os.Interrupt
	return next(t, p.ended)
}

// TestDemo sees an archive hang and recover and a receiver go, as somebody at a pipe would.
func TestDemo(t *testing.T) {
	p := perform(t, newStage(), quickDemo())
	p.await(t, "HL7-1 refuses connections")
	require.NoError(t, p.finish(t), p.said())
	said := p.said()
	golden(t, "demo.txt", indifferent(said))
	require.Regexp(t, `\d{3,} operations got the right answer\.\n`, said)
	for _, kind := range []string{"C-STORE", "C-ECHO", "HL7 message", "ITI-18 query", "HTTPS page"} {
		require.Regexp(t, regexp.MustCompile(`(?m)^`+kind+` +[1-9]\d* +[1-9]\d* +\d+ +0 +0$`), said, "some ok, none failed or wrong")
	}
	require.Regexp(t, `(?m)^\S+  clients  \d+ objects?, \d+ C-ECHOs?, \d+ messages?, \d+ quer(y|ies), \d+ pages? ok; \d+ interrupted, 0 failed$`, said)
	require.Regexp(t, `PACS2 hung +2\.\ds +\d\.\ds +\d+ +\d\.\ds\n`, said)
}

// indifferent makes an output independent of times, ports and amounts: they are a #. The clients' lines are left out,
// because nobody knows how many there are.
func indifferent(said string) string {
	said = regexp.MustCompile(`(got the right answer\.\n).*\n`).ReplaceAllString(said, "$1…\n")
	said = regexp.MustCompile(`(?m)^\S+  clients  .*\n`).ReplaceAllString(said, "")
	said = regexp.MustCompile(`(?m)^\d+ \S+ (was|were) taken twice: .*\n`).ReplaceAllString(said, "")
	amount := regexp.MustCompile(`HL7-\d|ITI-18|127\.0\.0\.1|\b\d+(\.\d+)?(KiB|MiB|B|s)?\b( (object|message|query|querie|page)s?\b)?`)
	said = amount.ReplaceAllStringFunc(said, func(found string) string {
		if strings.Contains(found, "-") || found == "127.0.0.1" {
			return found
		}
		return "#"
	})
	said = strings.ReplaceAll(said, "not seen", "#") // the end may come before the server is back, or after
	return bySpeaker(regexp.MustCompile(`  +`).ReplaceAllString(said, "  "))
}

// bySpeaker puts what the demonstration did before what the gateway said to it: which of two lines comes first when
// both come at once is chance.
func bySpeaker(said string) string {
	var before, did, noticed []string
	lines := strings.Split(said, "\n")
	for i, line := range lines {
		switch {
		case strings.HasPrefix(line, "#:#:#  demo"):
			did = append(did, line)
		case strings.HasPrefix(line, "#:#:#  gantry"):
			noticed = append(noticed, line)
		case len(did)+len(noticed) == 0:
			before = append(before, line)
		default:
			return strings.Join(slices.Concat(before, did, noticed, lines[i:]), "\n")
		}
	}
	return said
}

func TestDemoEndsByItself(t *testing.T) {
	o := quickDemo()
	o.duration, o.noTraffic = 50*time.Millisecond, true
	p := perform(t, newStage(), o)
	require.NoError(t, next(t, p.ended))
	require.NotContains(t, p.said(), "OPERATION")
	require.NotContains(t, p.said(), "clients  ")
	require.Contains(t, p.said(), "The demo ran 0s and made 0 server failures.\n\nSERVER ")
}

func TestDemoPicture(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {150, 50}, {60, 12}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			p := perform(t, newStage().terminal(size[0], size[1]), quickDemo())
			p.await(t, "PACS2 hangs for ")
			require.NoError(t, p.finish(t), p.said())
			screen, summary, ok := strings.Cut(p.said(), leaveScreen)
			require.True(t, ok)
			require.True(t, strings.HasPrefix(screen, enterScreen+eraseAll+toHome+bold+"Gantry demo, 0s. "))
			require.True(t, strings.HasPrefix(summary, "The demo ran "), "the summary stays on the person's own screen")
			for _, frame := range strings.Split(screen, toHome)[1:] {
				fits(t, frame, size[0], size[1])
			}
		})
	}
}

// fits wants a frame to stay inside its terminal.
func fits(t *testing.T, frame string, columns, rows int) {
	t.Helper()
	seen := strings.Split(regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`).ReplaceAllString(frame, ""), "\n")
	require.LessOrEqual(t, len(seen), rows, "a line more and it would scroll")
	for _, line := range seen {
		require.LessOrEqual(t, len([]rune(line)), columns, line)
	}
}

func TestDemoPersonActs(t *testing.T) {
	o := quickDemo()
	o.noTraffic, o.timing.First = true, time.Hour
	p := perform(t, newStage(), o)
	p.await(t, "10 of 10 servers answer")
	url := regexp.MustCompile(`--admin (\S+)`).FindStringSubmatch(p.said())[1]
	for _, args := range [][]string{{"server", "drain", "DICOM/PACS1"}, {"server", "weight", "DICOM/PACS1", "7"}, {"reload"}} {
		s := newStage()
		require.Equal(t, exitOK, s.run(t, append(args, "--admin", url)...), s.err.String())
	}
	p.await(t, "gantry   a person set PACS1 from ready to drain\n")
	p.await(t, "gantry   a person set the weight of PACS1 from 100 to 7\n")
	require.NoError(t, p.finish(t))
}

func TestDemoAdminBusy(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	o := quickDemo()
	o.admin, o.noTraffic = l.Addr().String(), true
	p := perform(t, newStage(), o)
	p.await(t, "Look closer")
	require.NoError(t, p.finish(t))
	require.Regexp(t, `API and metrics are at http://127\.0\.0\.1:2\d{4}, not at `+o.admin+": address already in use\n", p.said())
}

// A stranger who answers in the place of the receivers must not go unnoticed, however well he answers.
func TestDemoStranger(t *testing.T) {
	tests := map[string]struct {
		faults hl7.Faults
		enough func(hospital.Tally) bool
		want   string
	}{
		"other messages acknowledged": {hl7.Faults{WrongControlID: true}, func(y hospital.Tally) bool { return y.Wrong > 0 },
			`operations? got a wrong answer\.\n  HL7 message: .*acknowledgement of message "STRANGE-1"`},
		"all in order, but in nobody's books": {hl7.Faults{}, func(y hospital.Tally) bool { return y.OK > 2 },
			`HL7 message: clients got \d+ good answers, but the servers counted only 0 messages\n`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			stranger, err := hl7.Start(hl7.Options{Faults: tt.faults})
			require.NoError(t, err)
			defer stranger.Close()
			h, err := hospital.Open()
			require.NoError(t, err)
			defer h.Close()
			t.Setenv("TMPDIR", t.TempDir())
			s := newStage()
			d := &demo{surroundings: &s.surroundings, demoOptions: quickDemo(), hospital: h}
			d.noTraffic = true
			require.NoError(t, d.open(t.Context()))
			d.config.Entrances.HL7 = stranger.Addr()
			d.traffic = h.Work(d.config.Entrances, d.haste)
			require.Eventually(t, func() bool { return tt.enough(d.traffic.Ledger.Tally(hospital.Message)) }, patience, time.Millisecond)
			d.close()
			require.Equal(t, saidError{exitFailed}, d.summarize())
			require.Regexp(t, tt.want, s.out.String())
		})
	}
}

// broken is a pipe whose reader has gone after some lines.
type broken struct{ writes int }

func (b *broken) Write(p []byte) (int, error) {
	if b.writes--; b.writes < 0 {
		return 0, &os.PathError{Op: "write", Path: "|1", Err: syscall.EPIPE}
	}
	return len(p), nil
}

func TestDemoReaderGone(t *testing.T) {
	for writes := range 2 {
		s := newStage()
		s.surroundings.out = &broken{writes: writes}
		p := perform(t, s, quickDemo())
		require.Equal(t, saidError{exitFailed}, next(t, p.ended), "an end without words")
	}
}

func TestDemoPrintConfig(t *testing.T) {
	s := newStage()
	require.Equal(t, exitOK, s.run(t, "demo", "--print-config", "--admin", "127.0.0.1:0"), s.err.String())
	file := filepath.Join(t.TempDir(), "demo.yaml")
	require.NoError(t, os.WriteFile(file, s.out.Bytes(), 0o600))
	checked := newStage()
	require.Equal(t, exitOK, checked.run(t, "check-config", file), checked.out.String())

	s = newStage()
	require.NoError(t, func() error {
		o := quickDemo()
		o.printConfig = true
		return runDemo(t.Context(), &s.surroundings, o)
	}())
	r := startRig(t, s.out.String())
	require.Equal(t, "READY=1\nSTATUS=serving 4 services", next(t, r.notified), "gantry run takes it")
	code, said := r.command(t, "status")
	require.Equal(t, exitOK, code)
	for _, server := range []string{"PACS3", "HL7-3", "XDS2", "VIEWER2"} {
		require.Contains(t, said, "  "+server+" ")
	}
	r.arrived <- syscall.SIGTERM
	require.Equal(t, exitOK, next(t, r.code))
}

func TestDemoUsage(t *testing.T) {
	tests := map[string]string{
		"--duration -1s":          "--duration: -1s is negative",
		"--duration soon":         `invalid argument "soon" for "--duration" flag`,
		"--admin localhost:9440":  `--admin: "localhost:9440" is not IP:PORT of loopback`,
		"--admin 0.0.0.0:9440":    `--admin: "0.0.0.0:9440" is not IP:PORT of loopback`,
		"--admin 192.0.2.1:9440":  `--admin: "192.0.2.1:9440" is not IP:PORT of loopback`,
		"--admin http://[::1]:94": `is not IP:PORT of loopback`,
		"now":                     "unknown command",
	}
	for args, want := range tests {
		t.Run(args, func(t *testing.T) {
			s := newStage()
			require.Equal(t, exitUsage, s.run(t, append([]string{"demo"}, strings.Fields(args)...)...))
			require.Contains(t, s.err.String(), want)
		})
	}
}
