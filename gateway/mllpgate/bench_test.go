package mllpgate

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"gantry/balancing"
)

// void is a World that does nothing but connect and count.
type void struct {
	dialed []*Link
	sent   []*Link
}

func (w *void) Dial(l *Link) { w.dialed = append(w.dialed, l) }
func (w *void) Send(l *Link, _ []byte) (flushed, ok bool) {
	w.sent = append(w.sent, l)
	return true, true
}
func (*void) Pending(*Link) int      { return 0 }
func (*void) Drop(*Link)             {}
func (*void) Answer(*Client, []byte) {}
func (*void) Pause(*Client)          {}
func (*void) Resume(*Client)         {}
func (*void) End(*Client, Why)       {}
func (*void) Tell(*Outcome)          {}
func (*void) Notice(Notice)          {}

// BenchmarkRouter is one message from its frame to its answer: each of the clients has one
// outstanding at three servers of 32 connections.
func BenchmarkRouter(b *testing.B) {
	for _, keyed := range []bool{false, true} {
		for _, clients := range []int{1, 64, 512} {
			b.Run(fmt.Sprintf("keyed=%v/clients=%d", keyed, clients), func(b *testing.B) { benchmark(b, keyed, clients) })
		}
	}
}

func benchmark(b *testing.B, keyed bool, clients int) {
	now := time.Unix(1000, 0)
	var list []balancing.Member
	for _, name := range []string{"A", "B", "C"} {
		s := balancing.NewServer(balancing.ServerOptions{Name: name})
		s.SetHealth(balancing.Up, now)
		list = append(list, balancing.Member{Server: s})
	}
	set := &Settings{AckTimeout: time.Minute, LinksPerServer: 32, Pipelining: 1, ClientPipelines: 16, Memory: 1 << 30}
	options := balancing.PoolOptions{Members: list}
	if keyed {
		byPatient(set)
		options.Persistence = balancing.NewPersistence(balancing.PersistenceOptions{})
	}
	set.Routes = []Route{{Pool: balancing.NewPool(options)}}
	w := &void{}
	r := New(w, set)
	type sender struct {
		*Client
		message, answer []byte
	}
	senders := make([]sender, clients)
	for i := range senders {
		id := fmt.Sprint(i)
		senders[i] = sender{r.Open(netip.MustParseAddrPort("10.0.0.1:1"), 1, now), []byte(msg(id, "P"+id)), ack("AA", id)}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; {
		for i := 0; i < clients && n < b.N; i, n = i+1, n+1 {
			if err := r.Message(senders[i].Client, senders[i].message, now); err != nil {
				b.Fatal(err)
			}
		}
		for r.active > 0 {
			for len(w.dialed) > 0 {
				l := w.dialed[0]
				w.dialed = w.dialed[1:]
				r.Dialed(l, nil, now)
			}
			sent := w.sent
			for at := 0; at < len(sent); at++ {
				var i int
				for _, c := range sent[at].out[0].env.ControlID {
					i = i*10 + int(c-'0')
				}
				r.Frame(sent[at], senders[i].answer, now)
				sent = w.sent
			}
			w.sent = w.sent[:0]
		}
	}
}
