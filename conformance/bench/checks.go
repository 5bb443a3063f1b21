package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"gantry/conformance/peers"
	"gantry/fixtures/pacs"
	"gantry/gateway/config"
	"gantry/negotiate"
)

// The rows about checks, and who stands beside Gantry there.
const (
	rowChecks     = "C-ECHO checks (per second of one processor)"
	rowCheckTime  = "C-ECHO checks, one after the other (ms each)"
	rowWatchCPU   = "2,000 servers, a C-ECHO each every 10 s (% of one processor)"
	rowWatchRSS   = "2,000 servers, a C-ECHO each every 10 s (MB resident)"
	rowScraped    = "the same, while Prometheus scrapes it (MB resident)"
	rowWatchMade  = "2,000 servers, a C-ECHO each every 10 s (checks per second)"
	echoscu       = "echoscu"
	watchServices = 10
	watchServers  = 200 // of each service
	// watchSettle is more than one interval, so that every server was checked and the starts are spread.
	watchSettle = 22 * time.Second
	watchFor    = 30 * time.Second
	watchCount  = 15 * time.Second // between two scrapes, as usual
)

// checkLoads are run once a round, by nobody but Gantry and what is written beside.
var checkLoads = []struct {
	name string
	run  func(ctx context.Context, b *bench) error
}{
	{"check-rate", checkRate},
	{"check-watch", checkWatch},
}

// serveArchive is the process that answers the checks, so that its work is not counted as theirs.
func serveArchive(addr string) error {
	s, err := pacs.Start(pacs.Options{Listen: addr})
	if err != nil {
		return err
	}
	defer s.Close()
	fmt.Println("listening")
	select {}
}

// startArchive answers on every loopback address.
func (b *bench) startArchive(ctx context.Context) (*peers.Process, string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	_, port, err := net.SplitHostPort(peers.FreeAddr())
	if err != nil {
		return nil, "", err
	}
	p, err := peers.Start(peers.Command{Name: "archive", Path: self, Args: []string{"-archive", "0.0.0.0:" + port}})
	if err != nil {
		return nil, "", err
	}
	_, err = p.Await(ctx, "listening")
	return p, port, err
}

// checkRate makes checks as fast as it can: in this process, then by a program that is started for each.
func checkRate(ctx context.Context, b *bench) error {
	archive, port, err := b.startArchive(ctx)
	defer archive.Stop()
	if err != nil {
		return err
	}
	addr := net.JoinHostPort("127.0.0.1", port)
	check, err := echoCheck(addr)
	if err != nil {
		return err
	}
	self := func(ctx context.Context) error {
		if r := negotiate.Run(ctx, check); r.Fault != nil {
			return r.Fault
		}
		return nil
	}
	other := func(ctx context.Context) error { return peers.Echo(ctx, addr) }
	for _, w := range []struct {
		name  string
		usage int
		check func(context.Context) error
	}{{gantry, syscall.RUSAGE_SELF, self}, {echoscu, syscall.RUSAGE_CHILDREN, other}} {
		if w.name == echoscu && len(peers.Missing("echoscu")) > 0 {
			continue
		}
		got, err := rate(ctx, b.each, w.usage, w.check)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		b.figures.add(w.name, got)
		fmt.Fprintf(os.Stderr, "bench: check-rate %-10s %s\n", w.name, short(got))
	}
	return nil
}

func echoCheck(addr string) (negotiate.Check, error) {
	c, problems := config.NewCheck("dicom-echo", nil, config.Options{})
	if len(problems) > 0 {
		return negotiate.Check{}, problems
	}
	host, _, _ := net.SplitHostPort(addr)
	prober, err := c.Settings.Prober(negotiate.Target{Server: "bench", Host: host})
	return negotiate.Check{Address: func() (string, error) { return addr, nil }, Prober: prober}, err
}

// rate measures checks one after the other for their time, and two at a time for their cost.
func rate(ctx context.Context, each time.Duration, usage int, check func(context.Context) error) (map[string]float64, error) {
	n, begun := 0, time.Now()
	for ; time.Since(begun) < each/2; n++ {
		if err := check(ctx); err != nil {
			return nil, err
		}
	}
	one := time.Since(begun) / time.Duration(n)

	var all sync.WaitGroup
	counts, failed := [2]int{}, [2]error{}
	before, begun := processorTime(usage), time.Now()
	for i := range counts {
		all.Go(func() {
			for ; time.Since(begun) < each && failed[i] == nil; counts[i]++ {
				failed[i] = check(ctx)
			}
		})
	}
	all.Wait()
	spent := processorTime(usage) - before
	for _, err := range failed {
		if err != nil {
			return nil, err
		}
	}
	return map[string]float64{
		rowChecks:    float64(counts[0]+counts[1]) / spent.Seconds(),
		rowCheckTime: float64(one.Microseconds()) / 1000,
	}, nil
}

// processorTime is the user and system time of this process, or of its children that have ended.
func processorTime(who int) time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(who, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// checkWatch lets a gateway without clients watch 2,000 servers, each at an address of its own.
func checkWatch(ctx context.Context, b *bench) error {
	if b.gantry == "" {
		return nil
	}
	archive, port, err := b.startArchive(ctx)
	defer archive.Stop()
	if err != nil {
		return err
	}
	g, err := peers.StartGantry(ctx, b.gantry, b.dir, watchYAML(port))
	if err != nil {
		return err
	}
	defer g.Stop()
	pause(ctx, watchSettle)
	before, err := g.CPU()
	if err != nil {
		return err
	}
	pause(ctx, watchFor)
	after, err := g.CPU()
	if err != nil {
		return err
	}
	memory, err := g.RSS()
	if err != nil {
		return err
	}
	made := checksMade(ctx, g)
	pause(ctx, watchCount)
	made = checksMade(ctx, g) - made
	scraped, err := g.RSS()
	if err != nil {
		return err
	}
	got := map[string]float64{
		rowWatchCPU:  100 * (after - before).Seconds() / watchFor.Seconds(),
		rowWatchRSS:  float64(memory) / 1e6,
		rowScraped:   float64(scraped) / 1e6,
		rowWatchMade: made / watchCount.Seconds(),
	}
	b.figures.add(gantry, got)
	fmt.Fprintf(os.Stderr, "bench: check-watch %s\n", short(got))
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// checksMade adds up the counts of the stage that every C-ECHO passes.
func checksMade(ctx context.Context, g *peers.Gantry) (sum float64) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, g.Admin+"/metrics", http.NoBody)
	if err != nil {
		return 0
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	defer w.Body.Close()
	text, _ := io.ReadAll(w.Body)
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "gantry_check_duration_seconds_count") && strings.Contains(line, `stage="ask"`) {
			var v float64
			_, _ = fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &v)
			sum += v
		}
	}
	return sum
}

// watchYAML has services of nothing but checks with their defaults.
func watchYAML(port string) string {
	var y strings.Builder
	y.WriteString("services:\n")
	for s := range watchServices {
		fmt.Fprintf(&y, "- name: S%d\n  protocol: dicom\n  listen: ['%s']\n  servers:\n", s, peers.FreeAddr())
		for i := range watchServers {
			fmt.Fprintf(&y, "  - {name: R%d, address: '127.1.%d.%d:%s'}\n", i, s+1, i+1, port)
		}
	}
	return y.String()
}
