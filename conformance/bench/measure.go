package main

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"gantry/conformance/peers"
)

// load is one kind of work. It may give several figures, named in the page's rows.
type load struct {
	name string
	run  func(ctx context.Context, b *bench, c contender) (map[string]float64, error)
}

// The rows of the page.
const (
	rowBulk1    = "bulk, 1 connection (Gb/s)"
	rowBulk8    = "bulk, 8 connections (Gb/s)"
	rowCPU1     = "processor of the middle, 1 connection (s per GB)"
	rowCPU8     = "processor of the middle, 8 connections (s per GB)"
	rowConnects = "connections, one 64-byte exchange each (per second)"
	rowPingPong = "64 connections, 64-byte exchanges (per second)"
	rowMemory   = "memory of the middle (kB per idle connection)"
	rowFiles    = "descriptors of the middle (per idle connection)"
	rowStore    = "storescu, 60 objects of 512 KiB to Orthanc (s)"
	rowEcho     = "echoscu, 30 C-ECHO in one association to Orthanc (s)"
)

// idleConnections is 8,000 unless the hard limit of open descriptors is too low for a middle to hold two
// for each, and HAProxy its reserve.
var idleConnections = func() int {
	var limit syscall.Rlimit
	_ = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	return min(8000, int(limit.Max-3000)/2)
}()

var loads = []load{
	{"bulk1", bulkLoad(1, rowBulk1, rowCPU1)},
	{"bulk8", bulkLoad(8, rowBulk8, rowCPU8)},
	{"connects", func(_ context.Context, b *bench, c contender) (map[string]float64, error) {
		v, err := connectRate(b.stream[c.name].addr, 32, b.each, word(roleOnce)...)
		return map[string]float64{rowConnects: v}, err
	}},
	{"pingpong", func(_ context.Context, b *bench, c contender) (map[string]float64, error) {
		v, err := pingPong(b.stream[c.name].addr, 64, b.each)
		return map[string]float64{rowPingPong: v}, err
	}},
	{"idle", idleLoad},
	{"store", storeLoad},
	{"echo", echoLoad},
}

// bench is a run of the whole programme.
type bench struct {
	options
	dir     string
	server  string // address of the receiving process
	stream  map[string]running
	dicom   map[string]running // in front of Orthanc
	archive map[string]running // in front of an archive of our own
	mllp    map[string]running // in front of an HL7 receiver of our own
	orthanc *peers.Orthanc
	objects []string
	figures figures
	busy    string // load average before we began
}

// measure starts everything, runs the rounds and writes the page.
func measure(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "gantry-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, dir: dir, figures: figures{}, busy: busy()}
	if b.gantry == "" {
		if b.gantry, err = peers.Build(ctx, dir, false); err != nil {
			fmt.Fprintln(os.Stderr, "bench: measuring without Gantry:", err)
		}
	}
	all := contenders(b.gantry)
	stop, err := b.prepare(ctx, all)
	defer stop()
	if err != nil {
		return err
	}
	for round := range o.rounds {
		b.round(ctx, round, all)
	}
	return b.write(ctx, all)
}

// prepare starts the receiving process, Orthanc, and every contender in front of both.
func (b *bench) prepare(ctx context.Context, all []contender) (stop func(), err error) {
	var started []running
	var receiver, archive, engine *peers.Process
	stop = func() {
		stopAll(started)
		receiver.Stop()
		archive.Stop()
		engine.Stop()
		if b.orthanc != nil {
			b.orthanc.Stop()
		}
	}
	if receiver, err = b.startReceiver(ctx); err != nil {
		return stop, err
	}
	if b.stream, err = b.front(ctx, all, b.server, false, &started); err != nil {
		return stop, err
	}
	archive, at, err := b.startDICOM(ctx)
	if err != nil {
		return stop, err
	}
	if b.archive, err = b.front(ctx, dicomContenders(b.gantry), at, true, &started); err != nil {
		return stop, err
	}
	engine, at, err = b.startMLLPReceiver(ctx)
	if err != nil {
		return stop, err
	}
	if b.mllp, err = b.front(ctx, mllpContenders(b.gantry), at, false, &started); err != nil {
		return stop, err
	}
	if len(peers.Missing("Orthanc", "storescu", "echoscu")) > 0 {
		fmt.Fprintln(os.Stderr, "bench: measuring without DICOM: Orthanc or DCMTK is not installed")
		return stop, nil
	}
	if b.orthanc, err = peers.StartOrthanc(ctx, "bench", b.dir); err != nil {
		return stop, err
	}
	if b.objects, err = peers.WriteObjects(b.dir, 1, 60, 512<<10); err != nil {
		return stop, err
	}
	b.dicom, err = b.front(ctx, all, b.orthanc.DICOM, true, &started)
	return stop, err
}

func (b *bench) startReceiver(ctx context.Context) (*peers.Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	b.server = peers.FreeAddr()
	p, err := peers.Start(peers.Command{Name: "receiver", Path: self, Args: []string{"-serve", b.server}})
	if err != nil {
		return nil, err
	}
	_, err = p.Await(ctx, "listening")
	return p, err
}

func (b *bench) front(ctx context.Context, all []contender, server string, dicom bool, started *[]running) (map[string]running, error) {
	up, err := startAll(ctx, all, b.dir, server, dicom)
	*started = append(*started, up...)
	byName := map[string]running{}
	for _, r := range up {
		byName[r.name] = r
	}
	return byName, err
}

// round runs each load against each contender once. Who begins changes from round to round, so that
// nobody always comes after the same neighbour.
func (b *bench) round(ctx context.Context, round int, all []contender) {
	b.compare(ctx, round, loads, all)
	b.compare(ctx, round, dicomLoads, dicomContenders(b.gantry))
	b.together(ctx, round)
	b.messages(ctx, round)
	for _, l := range checkLoads {
		if !b.only.MatchString(l.name) || ctx.Err() != nil {
			continue
		}
		if err := l.run(ctx, b); err != nil {
			fmt.Fprintf(os.Stderr, "bench: round %d, %s: %v\n", round+1, l.name, err)
		}
	}
}

// compare runs the loads of one kind.
func (b *bench) compare(ctx context.Context, round int, loads []load, all []contender) {
	for _, l := range loads {
		if !b.only.MatchString(l.name) {
			continue
		}
		for i := range all {
			c := all[(i+round)%len(all)]
			if ctx.Err() != nil {
				return
			}
			got, err := l.run(ctx, b, c)
			if err != nil {
				fmt.Fprintf(os.Stderr, "bench: round %d, %s, %s: %v\n", round+1, l.name, c.name, err)
				continue
			}
			b.figures.add(c.name, got)
			fmt.Fprintf(os.Stderr, "bench: round %d/%d  %-12s %-22s %s\n", round+1, b.rounds, l.name, c.name, short(got))
		}
	}
}

func bulkLoad(n int, speed, cost string) func(context.Context, *bench, contender) (map[string]float64, error) {
	return func(_ context.Context, b *bench, c contender) (map[string]float64, error) {
		middle := b.stream[c.name]
		before, err := cpu(middle.Process)
		if err != nil {
			return nil, err
		}
		bytes, took, err := bulk(middle.addr, n, b.each)
		if err != nil {
			return nil, err
		}
		after, err := cpu(middle.Process)
		got := map[string]float64{speed: float64(bytes) * 8 / 1e9 / took.Seconds()}
		if middle.Process != nil {
			got[cost] = (after - before).Seconds() / (float64(bytes) / 1e9)
		}
		return got, err
	}
}

// cpu is the processor time of a middle; of none, none.
func cpu(p *peers.Process) (time.Duration, error) {
	if p == nil {
		return 0, nil
	}
	return p.CPU()
}

// idleLoad looks at a middle that was just started: one that has worked before keeps memory which it then
// gives to idle connections for nothing.
func idleLoad(ctx context.Context, b *bench, c contender) (map[string]float64, error) {
	if c.name == direct {
		return nil, nil
	}
	middle, err := startOne(ctx, c, b.dir, b.server, false)
	if err != nil {
		return nil, err
	}
	defer middle.Stop()
	memory, files, err := holdings(middle.Process)
	if err != nil {
		return nil, err
	}
	release, err := holdIdle(middle.addr, idleConnections, word(roleEcho)...)
	if release != nil {
		defer release()
	}
	if err != nil {
		return nil, err
	}
	memoryThen, filesThen, err := holdings(middle.Process)
	return map[string]float64{
		rowMemory: float64(memoryThen-memory) / 1024 / float64(idleConnections),
		rowFiles:  float64(filesThen-files) / float64(idleConnections),
	}, err
}

func holdings(p *peers.Process) (memory int64, files int, err error) {
	if memory, err = p.RSS(); err != nil {
		return 0, 0, err
	}
	files, err = p.Descriptors()
	return memory, files, err
}

// storeLoad sends new objects each time: the archive is emptied before the clock starts.
func storeLoad(ctx context.Context, b *bench, c contender) (map[string]float64, error) {
	if b.orthanc == nil {
		return nil, nil
	}
	if err := b.orthanc.Clear(ctx); err != nil {
		return nil, err
	}
	start := time.Now()
	if err := peers.Store(ctx, b.dicom[c.name].addr, b.objects); err != nil {
		return nil, err
	}
	took := time.Since(start).Seconds()
	stored, err := b.orthanc.Instances(ctx)
	if err == nil && stored != len(b.objects) {
		err = fmt.Errorf("%d of %d objects are stored", stored, len(b.objects))
	}
	return map[string]float64{rowStore: took}, err
}

func echoLoad(ctx context.Context, b *bench, c contender) (map[string]float64, error) {
	if b.orthanc == nil {
		return nil, nil
	}
	start := time.Now()
	err := peers.Echo(ctx, b.dicom[c.name].addr, "--repeat", "30")
	return map[string]float64{rowEcho: time.Since(start).Seconds()}, err
}
