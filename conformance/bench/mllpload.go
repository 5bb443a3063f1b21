package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"gantry/conformance/peers"
)

// The contenders of the HL7 loads beside direct and HAProxy.
const (
	messages    = "Gantry, per-message"
	ordered     = "Gantry, per-message, order_by: PID-3.1"
	connections = "Gantry, per-connection"
)

// serverConnections is connections_per_server: with one message outstanding on each, it bounds what one server has to do
// at one time.
const serverConnections = 64

// mllpContenders are measured with messages.
func mllpContenders(program string) []contender {
	all := contenders("")
	all = slices.DeleteFunc(all, func(c contender) bool { return c.name != direct && c.name != haproxy })
	if program == "" {
		return all
	}
	exclusive := fmt.Sprintf("mllp: {routing: per-message, connections_per_server: %d", serverConnections)
	return append(all,
		contender{connections, startMLLP(program, "")},
		contender{messages, startMLLP(program, exclusive+"}, ")},
		contender{ordered, startMLLP(program, exclusive+", order_by: PID-3.1}, ")})
}

func startMLLP(program, keys string) func(context.Context, string, string, bool) (*peers.Process, string, error) {
	return func(ctx context.Context, dir, server string, _ bool) (*peers.Process, string, error) {
		addr := peers.FreeAddr()
		g, err := peers.StartGantry(ctx, program, dir, fmt.Sprintf(
			"services:\n- {name: bench, protocol: mllp, listen: [%q], %stimeouts: {drain: 1s}, servers: [{name: one, address: %q}]}\n",
			addr, keys, server))
		if err != nil {
			return nil, "", err
		}
		return g.Process, addr, g.AwaitState(ctx, "bench", "one", "up")
	}
}

// mllpLoad is messages of one size from so many clients, each of which sends the next one when it has the answer.
type mllpLoad struct {
	clients, size int // bytes
}

var mllpLoads = []mllpLoad{{1, 1 << 10}, {64, 1 << 10}, {512, 1 << 10}, {1, 64 << 10}, {64, 64 << 10}, {512, 64 << 10}}

// crowded is the load that half of is measured, too.
var crowded = mllpLoads[1]

func (l mllpLoad) name() string { return fmt.Sprintf("mllp-%d-%dK", l.clients, l.size>>10) }

func (l mllpLoad) String() string {
	if l.clients == 1 {
		return fmt.Sprintf("1 client, %d KB", l.size>>10)
	}
	return fmt.Sprintf("%d clients, %d KB", l.clients, l.size>>10)
}

// Rows of a load.
func (l mllpLoad) rate() string { return fmt.Sprintf("%v (messages per second)", l) }
func (l mllpLoad) p50() string  { return fmt.Sprintf("%v, p50 (ms)", l) }
func (l mllpLoad) p99() string  { return fmt.Sprintf("%v, p99 (ms)", l) }
func (l mllpLoad) cost() string {
	return fmt.Sprintf("processor of the middle, %v (µs per message)", l)
}

// rowSender is about clients that are silent.
const rowSender = "memory of the middle (kB per idle sender)"

// mllpSlices is into how many parts a round's time for a contender is cut. Each has a warm-up, in which connections are
// made and hundreds of clients have their first turn.
const mllpSlices = 2

// sliced is how long a slice warms up and how long it counts: together a third of the time of other loads, since there
// are many of these.
func (b *bench) sliced() (warm, each time.Duration) {
	whole := b.each / 3 / mllpSlices
	return whole / 4, whole - whole/4
}

// fed is the sum of a contender's slices.
type fed struct {
	took             []time.Duration // of its messages
	answered, within int             // messages in all, and within time
	time, cpu        time.Duration
	err              error
}

// add lets clients send through the middle for one slice, at a pace unless that is 0; after an error nothing more.
func (s *fed) add(middle running, l mllpLoad, perSecond float64, warm, each time.Duration) {
	if s.err != nil {
		return
	}
	if err := s.slice(middle, l, perSecond, warm, each); err != nil {
		s.err = fmt.Errorf("%s: %w", middle.name, err)
	}
}

func (s *fed) slice(middle running, l mllpLoad, perSecond float64, warm, each time.Duration) error {
	c, err := openClients(middle.addr, l.clients, l.size)
	if err != nil {
		return err
	}
	defer c.close()
	if perSecond > 0 {
		if err := c.walk(perSecond); err != nil {
			return err
		}
		defer c.stand()
	}
	before, err := cpu(middle.Process)
	if err != nil {
		return err
	}
	if err := c.run(warm, each); err != nil {
		return err
	}
	after, err := cpu(middle.Process)
	s.cpu, s.time = s.cpu+after-before, s.time+each
	s.answered, s.within, s.took = s.answered+c.answered, s.within+c.within, append(s.took, c.took...)
	return err
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (s *fed) rate() float64 { return float64(s.within) / s.time.Seconds() }

// feed lets contenders have their slices of a load in turns.
func (b *bench) feed(round int, l mllpLoad, perSecond float64, all ...string) map[string]*fed {
	sums := map[string]*fed{}
	for _, name := range all {
		sums[name] = &fed{}
	}
	warm, each := b.sliced()
	for slice := range mllpSlices {
		for i := range all {
			name := all[(i+slice+round)%len(all)]
			sums[name].add(b.mllp[name], l, perSecond, warm, each)
		}
	}
	return sums
}

// messages runs the HL7 loads. Memory is looked at in the first round alone: it is what takes longest, and differs least.
func (b *bench) messages(ctx context.Context, round int) {
	var all []string
	for _, c := range mllpContenders(b.gantry) {
		all = append(all, c.name)
	}
	for _, l := range mllpLoads {
		if !b.only.MatchString(l.name()) || ctx.Err() != nil {
			continue
		}
		for name, s := range b.feed(round, l, 0, all...) {
			b.report(round, l.name(), map[string]map[string]float64{name: s.figures(l, name != direct)}, s.err)
		}
	}
	if b.only.MatchString("mllp-half") {
		b.halfLoads(ctx, round, all)
	}
	if round == 0 {
		b.compare(ctx, round, []load{{"mllp-idle", senderLoad}}, mllpContenders(b.gantry))
	}
}

// figures of a load; the cost where there was a middle.
func (s *fed) figures(l mllpLoad, middle bool) map[string]float64 {
	if s.within == 0 || len(s.took) == 0 {
		return nil
	}
	got := map[string]float64{l.rate(): s.rate(), l.p50(): millis(percentile(s.took, 50)), l.p99(): millis(percentile(s.took, 99))}
	if middle {
		got[l.cost()] = micros(s.cpu) / float64(s.answered)
	}
	return got
}

// senderLoad looks at a middle that was just started, as idleLoad does.
func senderLoad(ctx context.Context, b *bench, c contender) (map[string]float64, error) {
	if c.name == direct {
		return nil, nil
	}
	middle, err := startOne(ctx, c, b.dir, b.mllp[direct].addr, false)
	if err != nil {
		return nil, err
	}
	defer middle.Stop()
	before, err := middle.RSS()
	if err != nil {
		return nil, err
	}
	release, err := holdIdle(middle.addr, idleConnections, step{message(crowded.size, 0), acknowledgement()})
	if release != nil {
		defer release()
	}
	if err != nil {
		return nil, err
	}
	after, err := middle.RSS()
	return map[string]float64{rowSender: float64(after-before) / 1024 / float64(idleConnections)}, err
}

// startMLLPReceiver is the process that answers messages.
func (b *bench) startMLLPReceiver(ctx context.Context) (*peers.Process, string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	addr := peers.FreeAddr()
	p, err := peers.Start(peers.Command{Name: "engine", Path: self, Args: []string{"-mllp", addr}})
	if err != nil {
		return nil, "", err
	}
	_, err = p.Await(ctx, "listening")
	return p, addr, err
}
