package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gantry/fixtures/hospital"
	"gantry/gateway/admin"
)

// news is something that happened, in plain words.
type news struct {
	at     time.Time
	from   string // who says so
	text   string
	colour string
}

// Who says something: the demonstration, which makes servers fail, or the gateway, which does not know of that and has
// to find out.
const (
	fromDemo    = "demo"
	fromGateway = "gantry"
)

// maxNews is how many are remembered for the picture.
const maxNews = 100

// newsroom turns what the show does and what the gateway reports into news.
type newsroom struct {
	demo   *demo
	fresh  []news      // not yet gathered
	latest []news      // newest first, at most maxNews
	heard  admin.Event // the newest event that was looked at
	ready  bool        // no server waits for its first judgement any more
}

// staged reports a failure that began or ended.
func (n *newsroom) staged(f *hospital.Failure, now time.Time) {
	text := f.Server.Name + " works again"
	if f.Until.IsZero() {
		text = map[hospital.Way]string{
			hospital.Hang: f.Server.Name + " hangs: it accepts connections but answers nothing",
			hospital.Stop: f.Server.Name + " is gone: its connections end, new ones are refused",
		}[f.Way]
	}
	n.fresh = append(n.fresh, news{at: now, from: fromDemo, text: text})
}

// gather returns what is new, oldest first.
func (n *newsroom) gather(now time.Time) []news {
	status := n.demo.gw.Status()
	for _, e := range n.unheard() {
		if item, ok := n.word(e, status); ok {
			n.fresh = append(n.fresh, item)
		}
	}
	n.welcome(status, now)
	fresh := n.fresh
	n.fresh = nil
	for _, item := range fresh {
		n.latest = slices.Insert(n.latest, 0, item)
	}
	n.latest = n.latest[:min(len(n.latest), maxNews)]
	return fresh
}

// unheard are the gateway's events since the last call, oldest first.
func (n *newsroom) unheard() []admin.Event {
	events := n.demo.gw.Events()
	if i := slices.Index(events, n.heard); i >= 0 {
		events = events[:i]
	}
	if len(events) > 0 {
		n.heard = events[0]
	}
	slices.Reverse(events)
	return events
}

// welcome says once that the servers are in service, instead of each for itself.
func (n *newsroom) welcome(status admin.Status, now time.Time) {
	up, all := 0, 0
	for _, v := range status.Services {
		for _, r := range v.Servers {
			switch r.State {
			case "checking", "down":
				return
			case stateUp:
				up++
			}
			all++
		}
	}
	if !n.ready {
		n.ready = true
		n.fresh = append(n.fresh, news{at: now, from: fromGateway, colour: green,
			text: fmt.Sprintf("%d of %d servers answer their checks: in service", up, all)})
	}
}

// word says an event; false for those that are no news.
func (n *newsroom) word(e admin.Event, status admin.Status) (news, bool) {
	item := news{at: e.Time, from: fromGateway}
	switch {
	case e.Kind == "state" && e.To == "down":
		item.text, item.colour = n.fallen(e, status), red
	case e.Kind == "state" && e.To == stateUp && (e.From == "down" || n.ready):
		item.text, item.colour = n.risen(e, status), green
	case e.Kind == "admin":
		item.text = fmt.Sprintf("a person set %s from %s to %s", e.Server, e.From, e.To)
	case e.Kind == "weight":
		item.text = fmt.Sprintf("a person set the weight of %s from %s to %s", e.Server, e.From, e.To)
	case e.Kind == "reload":
		item.text = "the configuration was loaded again"
	default:
		return item, false
	}
	item.text = printable(item.text)
	return item, true
}

// fallen: PACS2 stopped answering C-ECHO: taken out of service after 2.1s, its work goes to PACS1 and PACS3.
func (n *newsroom) fallen(e admin.Event, status admin.Status) string {
	after := ""
	if f := n.demo.show.Noticed(e.Server, e.Time); f != nil {
		after = " after " + tenths(f.Noticed.Sub(f.From))
	}
	service := serviceOf(status, e.Service)
	var others []string
	for _, r := range service.Servers {
		if r.Name != e.Server && r.State == stateUp {
			others = append(others, r.Name)
		}
	}
	rest := "its work goes to " + strings.Join(others, " and ")
	if len(others) == 0 {
		rest = "and no server of " + e.Service + " is left"
	}
	return fmt.Sprintf("%s %s: taken out of service%s, %s", e.Server, ailment(checkOf(service, e), e.Message), after, rest)
}

// risen: PACS2 answers C-ECHO again: back in service.
func (n *newsroom) risen(e admin.Event, status admin.Status) string {
	after := ""
	if f := n.demo.show.Back(e.Server, e.Time); f != nil && !f.Until.IsZero() {
		after = " after " + tenths(f.Back.Sub(f.Until))
	}
	does := map[string]string{"dicom-echo": "answers C-ECHO again", "http": "answers HTTP again", "mllp": "acknowledges messages again",
		"xds-registry": "answers queries again", "connect": "accepts connections again"}
	said := does[checkOf(serviceOf(status, e.Service), e).Type]
	if said == "" {
		said = "passes its check again"
	}
	return fmt.Sprintf("%s %s: back in service%s", e.Server, said, after)
}

// ailment says what a check found.
func ailment(c admin.CheckStatus, message string) string {
	silent := map[string]string{"dicom-echo": "stopped answering C-ECHO", "http": "stopped answering HTTP", "mllp": "stopped acknowledging messages",
		"xds-registry": "stopped answering queries", "connect": "stopped accepting connections"}
	switch {
	case c.Reason == "refused":
		return "refuses connections"
	case c.Reason == "timeout" && silent[c.Type] != "":
		return silent[c.Type]
	}
	return "fails its check (" + message + ")"
}

// serviceOf finds a service by its name; the zero value when it is gone.
func serviceOf(status admin.Status, name string) admin.ServiceStatus {
	for _, v := range status.Services {
		if v.Name == name {
			return v
		}
	}
	return admin.ServiceStatus{}
}

// checkOf finds the check that an event is about; the zero value when it is gone.
func checkOf(service admin.ServiceStatus, e admin.Event) admin.CheckStatus {
	for _, r := range service.Servers {
		for _, c := range r.Checks {
			if r.Name == e.Server && c.Name == e.Check {
				return c
			}
		}
	}
	return admin.CheckStatus{}
}

// tenths is a short duration for people: 2.1s.
func tenths(d time.Duration) string { return fmt.Sprintf("%.1fs", max(0, d).Seconds()) }
