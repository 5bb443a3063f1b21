package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"
	"runtime"
	"strings"
	"text/template"
	"time"

	"golang.org/x/sys/unix"

	"gantry/conformance/peers"
)

//go:embed page.md.tmpl
var pageText string

// aims are what the project wants of itself, by row; they are shown beside the figures and fail nothing.
// A row of seconds is compared the other way round, as "so many times faster".
var aims = []struct {
	row, aim string
	seconds  bool
}{
	{rowBulk1, "≥ 1.5 × HAProxy", false},
	{rowBulk8, "≥ 1.5 × HAProxy", false},
	{rowCPU1, "≤ 0.5 × HAProxy", false},
	{rowCPU8, "≤ 0.5 × HAProxy", false},
	{rowConnects, "≥ 0.8 × HAProxy", false},
	{rowPingPong, "≥ 0.95 × HAProxy", false},
	{rowMemory, "≤ 8 kB", false},
	{rowFiles, "≤ 2", false},
	{rowStore, "≥ 6 × faster than direct", true},
	{rowEcho, "≥ 30 × faster than direct", true},
}

// write renders the page.
func (b *bench) write(ctx context.Context, all []contender) error {
	var names []string
	for _, c := range all {
		names = append(names, c.name)
	}
	var page bytes.Buffer
	_, slice := b.sliced()
	err := template.Must(template.New("page").Parse(pageText)).Execute(&page, map[string]any{
		"Date":     time.Now().UTC().Format("2006-01-02"),
		"Machine":  machine(),
		"Busy":     b.busy,
		"Versions": versions(ctx),
		"Rounds":   b.rounds,
		"Seconds":  b.each.Seconds(),
		"Idle":     idleConnections,
		"Table":    b.table(names),
		"Ratios":   b.ratios(),
		"DICOM":    b.dicomTable(),
		"Price":    b.dicomRatios(),
		"Messages": b.mllpTable(),
		"Routed":   b.mllpRatios(),
		"Link":     serverConnections,
		"Slice":    slice.Round(time.Millisecond),
		"Checks":   b.checkTable(),
	})
	if err != nil {
		return err
	}
	if b.out == "" {
		_, err = os.Stdout.Write(page.Bytes())
		return err
	}
	return os.WriteFile(b.out, page.Bytes(), 0o644)
}

// table has one row a figure and one column a contender.
func (b *bench) table(names []string) string {
	lines := []string{"| load | " + strings.Join(names, " | ") + " |", "|---" + strings.Repeat("|---", len(names)) + "|"}
	for _, a := range aims {
		if len(b.figures[a.row]) == 0 {
			continue // not asked for
		}
		cells := []string{a.row}
		for _, name := range names {
			cells = append(cells, b.figures.cell(a.row, name))
		}
		lines = append(lines, "| "+strings.Join(cells, " | ")+" |")
	}
	return strings.Join(lines, "\n")
}

// dicomAim is a row about associations and what the project wants of itself there.
type dicomAim struct{ row, aim string }

// dicomAims are in the order of the page.
func dicomAims() []dicomAim {
	aims := []dicomAim{{rowTurn50, ""}, {rowTurn99, ""}, {rowAdded, "≤ 50 µs"}}
	for _, l := range slicedLoads {
		aim := ""
		if strings.HasPrefix(l.name, "store") {
			aim = "≥ 0.9 × inspect: false"
		}
		aims = append(aims, dicomAim{l.rate, aim})
	}
	for _, l := range slicedLoads {
		aims = append(aims, dicomAim{l.cost, ""})
	}
	return append(aims, dicomAim{rowHeld, "≤ 8 kB"})
}

// dicomTable has one row a figure and one column a contender.
func (b *bench) dicomTable() string {
	names := []string{direct, haproxy, splice, nginx, gantry, unread}
	lines := []string{"| load | " + strings.Join(names, " | ") + " |", "|---" + strings.Repeat("|---", len(names)) + "|"}
	for _, a := range dicomAims() {
		if len(b.figures[a.row]) == 0 {
			continue
		}
		cells := []string{a.row}
		for _, name := range names {
			cells = append(cells, b.figures.cell(a.row, name))
		}
		lines = append(lines, "| "+strings.Join(cells, " | ")+" |")
	}
	return strings.Join(lines, "\n")
}

// dicomRatios compares Gantry as it is with the others, and with itself when it does not read along.
func (b *bench) dicomRatios() string {
	lines := []string{"| load | to HAProxy | to HAProxy, splice | to direct | to inspect: false | aim |", "|---|---|---|---|---|---|"}
	for _, a := range dicomAims() {
		if len(b.figures[a.row]) == 0 {
			continue
		}
		cells := []string{a.row}
		for _, other := range []string{haproxy, splice, direct, unread} {
			cells = append(cells, b.figures.ratio(a.row, gantry, other))
		}
		lines = append(lines, "| "+strings.Join(append(cells, a.aim), " | ")+" |")
	}
	return strings.Join(lines, "\n")
}

// checkAims are those of the rows about checks.
var checkAims = []struct{ row, aim string }{
	{rowChecks, "≥ 1,000, and ≥ 20 × echoscu"},
	{rowCheckTime, ""},
	{rowWatchCPU, "≤ 10"},
	{rowWatchRSS, "≤ 100"},
	{rowScraped, ""},
	{rowWatchMade, "200 and a little more"},
}

// checkTable compares checks with a program started for each.
func (b *bench) checkTable() string {
	lines := []string{"| checks | Gantry | echoscu, started for each | ratio | aim |", "|---|---|---|---|---|"}
	for _, a := range checkAims {
		if len(b.figures[a.row]) == 0 {
			continue
		}
		cells := []string{a.row, b.figures.cell(a.row, gantry), b.figures.cell(a.row, echoscu), b.figures.ratio(a.row, gantry, echoscu), a.aim}
		lines = append(lines, "| "+strings.Join(cells, " | ")+" |")
	}
	return strings.Join(lines, "\n")
}

// ratios compares Gantry with HAProxy, with HAProxy told to splice, and with no middle.
func (b *bench) ratios() string {
	lines := []string{"| load | to HAProxy | to HAProxy, splice | to direct | aim |", "|---|---|---|---|---|"}
	for _, a := range aims {
		if len(b.figures[a.row]) == 0 {
			continue
		}
		cells := []string{a.row}
		for _, other := range []string{haproxy, splice, direct} {
			cells = append(cells, b.ratio(a.row, other, a.seconds))
		}
		lines = append(lines, "| "+strings.Join(append(cells, a.aim), " | ")+" |")
	}
	return strings.Join(lines, "\n")
}

func (b *bench) ratio(row, other string, seconds bool) string {
	if !seconds {
		return b.figures.ratio(row, gantry, other)
	}
	if times := b.figures.ratio(row, other, gantry); times != "" {
		return times + " × faster"
	}
	return ""
}

// machine says what the figures were taken on.
func machine() string {
	var u unix.Utsname
	_ = unix.Uname(&u)
	return fmt.Sprintf("%s, %d processors, Linux %s, loopback", processor(), runtime.NumCPU(),
		unix.ByteSliceToString(u.Release[:]))
}

// busy is the machine's load average of the last minute: what else was going on before we began.
func busy() string {
	text, _ := os.ReadFile("/proc/loadavg")
	minute, _, _ := strings.Cut(string(text), " ")
	return minute
}

func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	_, after, found := strings.Cut(string(text), "model name")
	if !found {
		return runtime.GOARCH
	}
	line, _, _ := strings.Cut(after, "\n")
	return strings.TrimSpace(strings.TrimLeft(line, "\t :"))
}

// versions of everything that took part.
func versions(ctx context.Context) string {
	all := []string{runtime.Version()}
	for _, v := range []struct{ name, program, flag string }{
		{"HAProxy", "haproxy", "-v"}, {"nginx", "nginx", "-v"}, {"Orthanc", "Orthanc", "--version"},
		{"DCMTK", "storescu", "--version"},
	} {
		text, _ := peers.Run(ctx, v.program, v.flag)
		if number := firstVersion(text); number != "" {
			all = append(all, v.name+" "+number)
		}
	}
	return strings.Join(all, ", ")
}

// firstVersion is the first word of a program's answer that looks like 1.2.3.
func firstVersion(text string) string {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\n/v", r) }) {
		if strings.Count(word, ".") >= 2 && word[0] >= '0' && word[0] <= '9' {
			return word
		}
	}
	return ""
}
