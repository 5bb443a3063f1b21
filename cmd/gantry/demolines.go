package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"gantry/fixtures/hospital"
)

// lines is a demonstration for pipes, files and logs: what happens, line by line, and now and then the traffic.
type lines struct {
	*demo
	talked time.Time
}

var _ display = (*lines)(nil)

func (l *lines) begin() error {
	l.talked = l.began
	var b strings.Builder
	b.WriteString("Gantry demo: a small simulated hospital on loopback, the gateway in front of it.\n\n")
	g := &grid{indent: indent, columns: []column{{head: "SERVICE"}, {head: "CLIENTS CONNECT TO"}, {head: "SERVERS"}}}
	for _, v := range l.gw.Status().Services {
		var names []string
		for _, r := range v.Servers {
			names = append(names, r.Name)
		}
		g.add(plainCell(v.Name), plainCell(listens(v.Listen)), plainCell(strings.Join(names, " ")))
	}
	for row := headRow; row < len(g.rows); row++ {
		b.WriteString(g.line(row, 0, false) + "\n")
	}
	fmt.Fprintf(&b, "\nAPI and metrics are at http://%s", l.gw.AdminAddr())
	if l.config.AdminBusy != nil {
		b.WriteString(", " + l.config.notAt(l.admin))
	}
	fmt.Fprintf(&b, "\nLook closer with: %s\n\n", l.lookCloser())
	_, err := io.WriteString(l.out, b.String())
	return err
}

// present writes the news, and every few seconds what the clients have got so far.
func (l *lines) present(now time.Time, fresh []news) error {
	for _, item := range fresh {
		if err := l.line(item.at, item.from, item.text); err != nil {
			return err
		}
	}
	if l.traffic == nil || now.Sub(l.talked) < l.talk {
		return nil
	}
	l.talked = l.talked.Add(l.talk)
	return l.line(now, "clients", l.achievements())
}

func (l *lines) line(at time.Time, from, text string) error {
	_, err := fmt.Fprintf(l.out, "%s  %-7s  %s\n", at.Format(time.TimeOnly), from, text)
	return err
}

// end leaves a gap before the summary.
func (l *lines) end() { fmt.Fprintln(l.out) }

// achievements: 89 objects, 12 C-ECHOs, 90 messages, 40 queries, 70 pages ok; 3 interrupted, 0 failed.
func (l *lines) achievements() string {
	nouns := [...]string{hospital.Store: "object", hospital.Echo: "C-ECHO", hospital.Message: "message", hospital.Query: "query", hospital.Page: "page"}
	var said []string
	var sum hospital.Tally
	for _, o := range hospital.Operations() {
		t := l.traffic.Ledger.Tally(o)
		sum = sum.Add(t)
		said = append(said, plural(int(t.OK), nouns[o]))
	}
	return strings.Join(said, ", ") + " ok; " + misses(sum)
}

// misses says what did not go well. Interrupted and failed are always said, wrong only when there was one.
func misses(t hospital.Tally) string {
	said := fmt.Sprintf("%d interrupted, %d failed", t.Interrupted, t.Failed)
	if t.Wrong > 0 {
		said += fmt.Sprintf(", %d answered wrongly", t.Wrong)
	}
	return said
}

// listens writes addresses shortly: 127.0.0.1:11112 :10104.
func listens(addrs []string) string {
	var b strings.Builder
	host := ""
	for _, a := range addrs {
		i := strings.LastIndexByte(a, ':')
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		if a[:i] == host {
			a = a[i:]
		} else {
			host = a[:i]
		}
		b.WriteString(a)
	}
	return b.String()
}

// lookCloser is a command that shows this gateway, to be copied.
func (d *demo) lookCloser() string { return "gantry status --watch --admin http://" + d.gw.AdminAddr() }
