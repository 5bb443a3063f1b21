package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"gantry/conformance/peers"
)

// The rows about associations. Those of objects are named by objects.
const (
	rowTurn50        = "C-ECHO turn in an open association, p50 (µs)"
	rowTurn99        = "C-ECHO turn in an open association, p99 (µs)"
	rowAdded         = "the same, p50, added to direct (µs)"
	rowAssociate     = "associations with one C-ECHO each, 32 at a time (per second)"
	rowAssociateCost = "processor of the middle (µs per association)"
	rowHeld          = "memory of the middle (kB per open association)"
)

// unread is Gantry that does not read along.
const unread = "Gantry, inspect: false"

const (
	// bulkAssociations are open at one time while objects are sent.
	bulkAssociations = 4
	// manySlices is into how many parts the time of a sliced load is cut.
	manySlices = 6
)

// slicedLoad is one whose contenders take turns many times within a round: the differences that matter are
// smaller than those between one second of the machine and the next.
type slicedLoad struct {
	name       string
	rate, cost string  // rows
	unit       float64 // of the cost, in seconds
	// run works for a time: how much it did, in what the rate counts.
	run func(addr string, each time.Duration) (done float64, took time.Duration, err error)
}

var slicedLoads = []slicedLoad{
	{"associate", rowAssociate, rowAssociateCost, 1e-6, func(addr string, each time.Duration) (float64, time.Duration, error) {
		perSecond, err := connectRate(addr, 32, each, hello(), echo(), goodbye())
		return perSecond * each.Seconds(), each, err
	}},
	objects("store-512K-16K", "C-STORE", cut{512 << 10, 16 << 10}, storeBulk),
	objects("store-512K-128K", "C-STORE", cut{512 << 10, 128 << 10}, storeBulk),
	objects("store-64M-16K", "C-STORE", cut{64 << 20, 16 << 10}, storeBulk),
	objects("store-64M-128K", "C-STORE", cut{64 << 20, 128 << 10}, storeBulk),
	objects("get-512K-16K", "C-GET", cut{512 << 10, 16 << 10}, getBulk),
	objects("get-512K-128K", "C-GET", cut{512 << 10, 128 << 10}, getBulk),
}

// objects is a load that moves them: gigabytes.
func objects(name, service string, c cut, move func(string, int, cut, time.Duration) (uint64, time.Duration, error)) slicedLoad {
	rate := fmt.Sprintf("%s, objects of %v (GB/s)", service, c)
	cost := fmt.Sprintf("processor of the middle, %s, objects of %v (s per GB)", service, c)
	return slicedLoad{name, rate, cost, 1, func(addr string, each time.Duration) (float64, time.Duration, error) {
		bytes, took, err := move(addr, bulkAssociations, c, each)
		return float64(bytes) / 1e9, took, err
	}}
}

// dicomContenders are those of all loads, and Gantry that does not read along.
func dicomContenders(program string) []contender {
	all := contenders(program)
	if program != "" {
		all = append(all, contender{unread, startGantryWith(program, "dicom: {inspect: false}, ")})
	}
	return all
}

// dicomLoads are run against an archive of our own, which never waits for an acknowledgement.
var dicomLoads = []load{{"held", heldLoad}}

// together runs the loads whose contenders take turns.
func (b *bench) together(ctx context.Context, round int) {
	all := dicomContenders(b.gantry)
	if b.only.MatchString("turn") && ctx.Err() == nil {
		got, err := turnLoad(b, all)
		b.report(round, "turn", got, err)
	}
	for _, l := range slicedLoads {
		if !b.only.MatchString(l.name) || ctx.Err() != nil {
			continue
		}
		sums := map[string]*worked{}
		for _, c := range all {
			sums[c.name] = &worked{}
		}
		for slice := range manySlices {
			for i := range all {
				c := all[(i+slice+round)%len(all)]
				sums[c.name].add(b.archive[c.name], l, b.each/manySlices)
			}
		}
		for _, c := range all {
			s := sums[c.name]
			b.report(round, l.name, map[string]map[string]float64{c.name: s.figures(l, c.name != direct)}, s.err)
		}
	}
}

// report books what came of a load, by contender.
func (b *bench) report(round int, load string, got map[string]map[string]float64, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: round %d, %s: %v\n", round+1, load, err)
		return
	}
	for name, figures := range got {
		b.figures.add(name, figures)
		fmt.Fprintf(os.Stderr, "bench: round %d/%d  %-15s %-22s %s\n", round+1, b.rounds, load, name, short(figures))
	}
}

// turnLoad gives the percentiles of each contender's turns.
func turnLoad(b *bench, all []contender) (map[string]map[string]float64, error) {
	var addrs []string
	for _, c := range all {
		addrs = append(addrs, b.archive[c.name].addr)
	}
	took, err := turns(addrs, b.each)
	if err != nil {
		return nil, err
	}
	got := map[string]map[string]float64{}
	for i, c := range all {
		p50 := micros(percentile(took[i], 50))
		got[c.name] = map[string]float64{rowTurn50: p50, rowTurn99: micros(percentile(took[i], 99))}
		if i > 0 {
			got[c.name][rowAdded] = p50 - got[direct][rowTurn50]
		}
	}
	return got, nil
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// worked is the sum of a contender's slices.
type worked struct {
	done      float64
	took, cpu time.Duration
	err       error
}

// add lets the middle work for one slice; after an error nothing more.
func (s *worked) add(middle running, l slicedLoad, each time.Duration) {
	if s.err != nil {
		return
	}
	before, err := cpu(middle.Process)
	if err != nil {
		s.err = err
		return
	}
	done, took, err := l.run(middle.addr, each)
	if err != nil {
		s.err = fmt.Errorf("%s: %w", middle.name, err)
		return
	}
	after, err := cpu(middle.Process)
	s.done, s.took, s.cpu, s.err = s.done+done, s.took+took, s.cpu+after-before, err
}

// figures are the rate, and what it cost when there was a middle.
func (s *worked) figures(l slicedLoad, middle bool) map[string]float64 {
	if s.done == 0 {
		return nil
	}
	got := map[string]float64{l.rate: s.done / s.took.Seconds()}
	if middle {
		got[l.cost] = s.cpu.Seconds() / s.done / l.unit
	}
	return got
}

// heldLoad looks at a middle that was just started, as idleLoad does.
func heldLoad(ctx context.Context, b *bench, c contender) (map[string]float64, error) {
	if c.name == direct {
		return nil, nil
	}
	middle, err := startOne(ctx, c, b.dir, b.archive[direct].addr, true)
	if err != nil {
		return nil, err
	}
	defer middle.Stop()
	before, err := middle.RSS()
	if err != nil {
		return nil, err
	}
	release, err := holdIdle(middle.addr, idleConnections, hello(), echo())
	if release != nil {
		defer release()
	}
	if err != nil {
		return nil, err
	}
	after, err := middle.RSS()
	return map[string]float64{rowHeld: float64(after-before) / 1024 / float64(idleConnections)}, err
}

// startDICOM is the process that answers them.
func (b *bench) startDICOM(ctx context.Context) (*peers.Process, string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	addr := peers.FreeAddr()
	p, err := peers.Start(peers.Command{Name: "archive", Path: self, Args: []string{"-dicom", addr}})
	if err != nil {
		return nil, "", err
	}
	_, err = p.Await(ctx, "listening")
	return p, addr, err
}
