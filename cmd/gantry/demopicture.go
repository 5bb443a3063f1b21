package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"gantry/fixtures/hospital"
	"gantry/gateway/admin"
)

// picture is a demonstration on a terminal: the state of everything, drawn over the last one about once a second.
type picture struct {
	*demo
	drawn         time.Time
	columns, rows int
}

var _ display = (*picture)(nil)

// The terminal sequences around a picture: it has a screen of its own, so that what was there comes back in the end.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l" // alternate screen, no cursor
	leaveScreen = "\x1b[?25h\x1b[?1049l"
	dim         = "\x1b[2m"
)

func (p *picture) begin() error {
	_, err := io.WriteString(p.out, enterScreen)
	return err
}

func (p *picture) end() { _, _ = io.WriteString(p.out, leaveScreen) }

// present draws when something happened, a second has passed, or the terminal has changed its size.
func (p *picture) present(now time.Time, fresh []news) error {
	columns, rows, _ := p.size()
	resized := columns != p.columns || rows != p.rows
	if len(fresh) == 0 && !resized && now.Sub(p.drawn) < frameEvery-beat/2 {
		return nil
	}
	p.drawn, p.columns, p.rows = now, columns, rows
	_, err := io.WriteString(p.out, overdraw(p.frame(now), rows, resized))
	return err
}

// From these sizes on there is room for more than the least.
const (
	roomyRows   = 32  // a blank line between services
	wideColumns = 110 // the last check's sentence
)

// frame is the whole picture: what it is, the services with their servers, and the news in the rows that are left.
func (p *picture) frame(now time.Time) string {
	var b strings.Builder
	write := func(c cell) { b.WriteString(c.cut(p.columns).paint(p.coloured()) + "\n") }
	write(cell{text: p.title(now), colour: bold})
	write(plainCell(p.directions()))
	if p.config.AdminBusy != nil {
		write(cell{text: "(" + p.config.notAt(p.admin) + ")", colour: yellow})
	}
	b.WriteString("\n" + p.table() + "\n")
	left := p.rows - 1 - strings.Count(b.String(), "\n")
	b.WriteString(p.bulletin(max(left, 1)))
	return b.String()
}

// title has the least important last, where a narrow terminal cuts.
func (p *picture) title(now time.Time) string {
	return fmt.Sprintf("Gantry demo, %s. %s. Ctrl-C ends it. A small simulated hospital, all on loopback.",
		age(now.Sub(p.began)), p.outlook(now))
}

// directions is where to see more, as much of it as there is room for.
func (p *picture) directions() string {
	first := "Look closer: " + p.lookCloser()
	if more := ", http://" + p.gw.AdminAddr() + "/metrics"; len(first)+len(more) <= p.columns {
		first += more
	}
	return first
}

// outlook says what the show will do next, so that one knows where to look.
func (p *picture) outlook(now time.Time) string {
	if f := p.show.Running(); f != nil {
		does := map[hospital.Way]string{hospital.Hang: "hangs", hospital.Stop: "is gone"}
		return fmt.Sprintf("%s %s for %s more", f.Server.Name, does[f.Way], seconds(f.From.Add(p.timing.For).Sub(now)))
	}
	return "Next failure in " + seconds(p.show.Next().Sub(now))
}

// seconds counts down to 1, never to 0.
func seconds(d time.Duration) string { return age(max(time.Second, d+time.Second-1)) }

// table is the services and under each its servers.
func (p *picture) table() string {
	status := p.gw.Status()
	services := &grid{columns: []column{{}, {}, {}}}
	servers := &grid{indent: indent, columns: []column{{head: "SERVER"}, {head: "STATE"}, {head: "ACTIVE", right: true},
		{head: "TOTAL", right: true}, {head: "IN", right: true}, {head: "OUT", right: true},
		{head: "OWN COUNT", right: true}, {head: "IN TRUTH"}}}
	if p.columns >= wideColumns {
		servers.columns = append(servers.columns, column{head: "LAST CHECK"})
	}
	for _, v := range status.Services {
		services.add(cell{text: v.Name, colour: bold}, plainCell(listens(v.Listen)), p.achieved(v.Name))
		for _, r := range v.Servers {
			servers.add(p.serverCells(r)...)
		}
	}
	return p.join(status, services, servers)
}

func (p *picture) join(status admin.Status, services, servers *grid) string {
	var b strings.Builder
	line := func(g *grid, row int) { b.WriteString(g.line(row, p.columns, p.coloured()) + "\n") }
	line(servers, headRow)
	next := 0
	for i, v := range status.Services {
		if p.rows >= roomyRows {
			b.WriteString("\n")
		}
		line(services, i)
		for range v.Servers {
			line(servers, next)
			next++
		}
	}
	return b.String()
}

// achieved is what the clients of a service got: 1262 ok, 3 interrupted, 0 failed.
func (p *picture) achieved(service string) cell {
	if p.traffic == nil {
		return plainCell("")
	}
	t := p.traffic.Ledger.Total(service)
	c := plainCell(fmt.Sprintf("%d ok, %s", t.OK, misses(t)))
	if t.Failed+t.Wrong > 0 {
		c.colour = red
	}
	return c
}

// serverCells are the gateway's view of a server, and beside it the server's own.
func (p *picture) serverCells(r admin.ServerStatus) []cell {
	counted, truth := plainCell(""), plainCell("")
	if s := p.hospital.Find(r.Name); s != nil {
		counted = plainCell(counts(s))
		if truth = plainCell(s.Truth()); truth.text != "works" {
			truth.colour = yellow
		}
	}
	cells := []cell{plainCell(r.Name), stateCell(r.State), number(r.Active), number(r.Total),
		plainCell(size(r.BytesIn)), plainCell(size(r.BytesOut)), counted, truth}
	if p.columns >= wideColumns {
		cells = append(cells, plainCell(lastResult(r)))
	}
	return cells
}

// counts is what a server says that it has done: 1204 objects.
func counts(s *hospital.Server) string { return plural(int(s.Count()), s.Noun) }

// bulletin is the latest news, newest first, in at most so many rows.
func (p *picture) bulletin(rows int) string {
	var out []string
	for _, item := range p.news.latest {
		head := fmt.Sprintf("%s %-6s ", item.at.Format(time.TimeOnly), item.from)
		colour := item.colour
		if item.from == fromDemo {
			colour = dim
		}
		for i, part := range wrap(item.text, p.columns-len(head)) {
			if i > 0 {
				head = strings.Repeat(" ", len(head))
			}
			out = append(out, head+cell{text: part, colour: colour}.paint(p.coloured()))
		}
	}
	return strings.Join(out[:min(rows, len(out))], "\n") + "\n"
}

// wrap breaks a text at blanks into lines of at most width columns; a longer word has a line of its own.
func wrap(text string, width int) []string {
	var out []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case len([]rune(line))+1+len([]rune(word)) <= width:
			line += " " + word
		default:
			out = append(out, line)
			line = word
		}
	}
	return append(out, line)
}
