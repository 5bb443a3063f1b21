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
	messages    = "Gantry"
	ordered     = "Gantry, order_by: PID-3.1"
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

// Rows about half of the load.
const (
	rowHalf    = "64 clients, 1 KB, at half of what Gantry carries (messages per second)"
	rowHalf50  = "the same, p50 (ms)"
	rowHalf99  = "the same, p99 (ms)"
	rowHalfAdd = "the same, p99, added to direct (ms)"
	rowSender  = "memory of the middle (kB per idle sender)"
)

// fed is the sum of a contender's slices.
type fed struct {
	took []time.Duration // of its messages
	time time.Duration
	cpu  time.Duration
	err  error
}

// add lets clients send through the middle for one slice, at a pace unless that is 0; after an error nothing more.
func (s *fed) add(middle running, l mllpLoad, perSecond float64, each time.Duration) {
	if s.err != nil {
		return
	}
	if err := s.slice(middle, l, perSecond, each); err != nil {
		s.err = fmt.Errorf("%s: %w", middle.name, err)
	}
}

func (s *fed) slice(middle running, l mllpLoad, perSecond float64, each time.Duration) error {
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
	start := time.Now()
	if err := c.run(each); err != nil {
		return err
	}
	s.time += time.Since(start)
	after, err := cpu(middle.Process)
	s.cpu += after - before
	s.took = append(s.took, c.took...)
	return err
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (s *fed) rate() float64 { return float64(len(s.took)) / s.time.Seconds() }

// feedAll lets all contenders have their slices of a load.
func (b *bench) feedAll(round int, l mllpLoad, perSecond float64) map[string]*fed {
	all, sums := mllpContenders(b.gantry), map[string]*fed{}
	for _, c := range all {
		sums[c.name] = &fed{}
	}
	for slice := range manySlices {
		for i := range all {
			c := all[(i+slice+round)%len(all)]
			sums[c.name].add(b.mllp[c.name], l, perSecond, b.each/manySlices)
		}
	}
	return sums
}

// messages runs the HL7 loads.
func (b *bench) messages(ctx context.Context, round int) {
	for _, l := range mllpLoads {
		if !b.only.MatchString(l.name()) || ctx.Err() != nil {
			continue
		}
		for name, s := range b.feedAll(round, l, 0) {
			b.report(round, l.name(), map[string]map[string]float64{name: s.figures(l, name != direct)}, s.err)
		}
	}
	if b.only.MatchString("mllp-half") && ctx.Err() == nil {
		b.halfLoad(round)
	}
	b.compare(ctx, round, []load{{"mllp-idle", senderLoad}}, mllpContenders(b.gantry))
}

// figures of a load; the cost where there was a middle.
func (s *fed) figures(l mllpLoad, middle bool) map[string]float64 {
	if len(s.took) == 0 {
		return nil
	}
	got := map[string]float64{l.rate(): s.rate(), l.p50(): millis(percentile(s.took, 50)), l.p99(): millis(percentile(s.took, 99))}
	if middle {
		got[l.cost()] = micros(s.cpu) / float64(len(s.took))
	}
	return got
}

// halfLoad sends at half of the rate that Gantry has reached, through everybody.
func (b *bench) halfLoad(round int) {
	most, ok := b.figures.median(crowded.rate(), messages)
	if !ok {
		fmt.Fprintln(os.Stderr, "bench: mllp-half needs "+crowded.name())
		return
	}
	sums := b.feedAll(round, crowded, most/2)
	base := percentile(sums[direct].took, 99)
	for name, s := range sums {
		got := map[string]float64{}
		if len(s.took) > 0 {
			p99 := percentile(s.took, 99)
			got = map[string]float64{rowHalf: s.rate(), rowHalf50: millis(percentile(s.took, 50)), rowHalf99: millis(p99)}
			if name != direct {
				got[rowHalfAdd] = millis(p99 - base)
			}
		}
		b.report(round, "mllp-half", map[string]map[string]float64{name: got}, s.err)
	}
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
