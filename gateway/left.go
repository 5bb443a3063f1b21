package gateway

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"gantry/balancing"
	"gantry/gateway/admin"
)

const (
	// maxLeft bounds the sessions that a status shows of one server, and
	// maxLeftWords those that its sentence names.
	maxLeft      = 64
	maxLeftWords = 3
)

// left describes the sessions that a server still has, oldest first.
func (b *backend) left(protocol string) *admin.LeftStatus {
	if protocol == perMessage {
		return b.messagesLeft()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	st := &admin.LeftStatus{Sessions: b.running, Until: b.deadline, Oldest: []admin.SessionStatus{}}
	// The list has the youngest first.
	skip := b.running - maxLeft
	for s := b.sessions; s != nil; s, skip = s.next, skip-1 {
		moved := s.moved.Load()
		st.Bytes += moved
		if skip <= 0 {
			st.Oldest = append(st.Oldest, admin.SessionStatus{
				Client: s.source.String(), CalledAE: printable(s.calledAE), CallingAE: printable(s.callingAE),
				Began: s.began, Bytes: moved,
			})
		}
	}
	for i, j := 0, len(st.Oldest)-1; i < j; i, j = i+1, j-1 {
		st.Oldest[i], st.Oldest[j] = st.Oldest[j], st.Oldest[i]
	}
	st.Words = leftWords(st, protocol, b.server.Name())
	return st
}

// leftWords says what is left as people do: "3 associations, 1.2 GB so far,
// CT2 → DICOM1". It is empty when nothing is.
func leftWords(st *admin.LeftStatus, protocol, server string) string {
	if st.Sessions == 0 {
		return ""
	}
	what := "connection"
	if protocol == "dicom" {
		what = "association"
	}
	if st.Sessions > 1 {
		what += "s"
	}
	var names []string
	seen := map[string]bool{}
	for _, s := range st.Oldest {
		name := s.CallingAE
		if name == "" {
			name, _, _ = strings.Cut(s.Client, "]:")
			name = strings.TrimPrefix(name, "[")
			if i := strings.LastIndexByte(name, ':'); i > 0 && strings.Count(name, ":") == 1 {
				name = name[:i]
			}
		}
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	who := strings.Join(names[:min(len(names), maxLeftWords)], ", ")
	if more := len(names) - maxLeftWords; more > 0 {
		who += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("%d %s, %s so far, %s → %s", st.Sessions, what, bytesWords(st.Bytes), who, server)
}

// bytesWords writes a number of bytes in the units of disks and networks.
func bytesWords(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	x, unit := float64(n), ""
	for _, unit = range []string{"kB", "MB", "GB", "TB"} {
		if x /= 1000; x < 999.5 {
			break
		}
	}
	if x < 9.95 {
		return fmt.Sprintf("%.1f %s", x, unit)
	}
	return fmt.Sprintf("%.0f %s", x, unit)
}

// printable is a title as it may be shown: it came from a peer.
func printable(title string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, title)
}

// leftOf is what is left on a server that takes no new sessions, nil for others.
func (g *Gateway) leftOf(s *service, b *backend) *admin.LeftStatus {
	if b.server.Admin() == balancing.Ready && g.phase.Load() != phaseDraining {
		return nil
	}
	return b.left(s.unit())
}

// messagesLeft describes what a server was sent, or is about to be, and has not answered.
func (b *backend) messagesLeft() *admin.LeftStatus {
	n := int(b.server.Active())
	st := &admin.LeftStatus{Sessions: n, Oldest: []admin.SessionStatus{}}
	switch n {
	case 0:
	case 1:
		st.Words = "1 message not answered yet"
	default:
		st.Words = fmt.Sprintf("%d messages not answered yet", n)
	}
	return st
}

// leaving are the servers that are in the plan no more and still have sessions.
func (g *Gateway) leaving() []admin.LeavingStatus {
	g.goneMu.Lock()
	defer g.goneMu.Unlock()
	all := []admin.LeavingStatus{}
	for _, r := range g.gone {
		if left := r.backend.left(r.protocol); left.Sessions > 0 {
			all = append(all, admin.LeavingStatus{Service: r.backend.service, Server: r.backend.server.Name(), Left: *left})
		}
	}
	return all
}

// gone is a server that a reload took out of the plan.
type gone struct {
	backend  *backend
	protocol string
}

// forgetGone drops those whose last session has ended, and what these sessions have
// counted since the reload.
func (g *Gateway) forgetGone() {
	g.goneMu.Lock()
	defer g.goneMu.Unlock()
	kept := g.gone[:0]
	for _, r := range g.gone {
		if r.backend.server.Active() > 0 {
			kept = append(kept, r)
			continue
		}
		now := g.plan.Load().service(r.backend.service)
		g.metrics.dicomMetrics.forgetServer(r.backend.service, r.backend.server.Name(), now)
		g.metrics.hl7Metrics.forgetServer(r.backend.service, r.backend.server.Name(), now)
	}
	clear(g.gone[len(kept):])
	g.gone = kept
}

// drain gives the sessions of a dicom server that a person has taken out their
// deadline, which it returns, and takes it back when the server is ready again. The
// first deadline counts.
func (b *backend) drain(to balancing.Admin, within time.Duration, now time.Time) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case to == balancing.Ready:
		b.deadline = time.Time{}
	case b.deadline.IsZero():
		b.deadline = now.Add(within)
	}
	return b.deadline
}

// cutAgain is how long what is left has to end after it was cut, before that is
// done once more: a session may have joined at the last moment.
const cutAgain = 5 * time.Second

// overdue tells that the deadline has come and something is left, and sets the
// next one.
func (b *backend) overdue(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.deadline.IsZero() || now.Before(b.deadline) || b.running == 0 {
		return false
	}
	b.deadline = now.Add(cutAgain)
	return true
}

// cutOverdue ends what is left of drained servers whose deadline has come.
func (g *Gateway) cutOverdue(s *service, now time.Time) {
	for _, b := range s.backends {
		if b.server.Admin() == balancing.Ready || !b.overdue(now) {
			continue
		}
		left := b.left(s.cfg.Protocol)
		b.cut(endDrained)
		g.log.Warn("drain deadline: associations are aborted", "service", b.service, "server", b.server.Name(), "left", left.Words)
		g.events.add(admin.Event{
			Time: now, Kind: "cut", Service: b.service, Server: b.server.Name(),
			Message: "drain deadline: aborted what was left: " + left.Words,
		})
	}
}

// watchSilence looks for servers that owe a response for longer than they may.
func (g *Gateway) watchSilence(s *service, now time.Time) {
	most := s.cfg.DICOM.ResponseTimeout
	if s.cfg.Protocol != "dicom" || most <= 0 {
		return
	}
	for _, b := range s.backends {
		clients := b.silentTo(now, most)
		if len(clients) > 0 { // one line: a server that hangs is silent to all
			g.log.Warn("no response to a complete request within dicom.response_timeout",
				"service", b.service, "server", b.server.Name(), "clients", len(clients), "client", clients[0].String())
		}
		for _, client := range clients {
			g.met(b, silent, client.Addr())
		}
	}
}
