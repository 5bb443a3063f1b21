package gateway

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"gantry/balancing"
	"gantry/gateway/config"
	"gantry/gateway/relay"
	"gantry/negotiate"
)

// backend is what a real server is across generations of the configuration.
type backend struct {
	server  *balancing.Server
	service string
	host    string // address literal or name, as configured
	port    int    // 0: the port that the client came to

	addr      atomic.Pointer[netip.Addr] // where host is now; nil: not known
	looking   atomic.Bool                // a look-up is under way
	lookAgain atomic.Int64               // unix seconds
	troubled  atomic.Bool                // record.run is not empty
	quiet     rate.Sometimes             // bounds the lines about what its sessions met
	changes   atomic.Int64               // of health

	mu       sync.Mutex
	states   map[string]negotiate.State // of the checks, by name
	record   record
	flapping config.Flapping
	passive  *config.Passive // nil: live failures only ask for a check
	weight   int             // as last configured
	cutting  bool            // on_down: close
	panics   bool            // panic: all
	drained  bool            // out of the plan, and timeouts.drain is over
	deadline time.Time       // dicom: when what is left after a person's drain is aborted; zero = never
	sessions *session        // list of those connected to this server
	running  int
}

const (
	// lookupTimeout bounds one look-up of a server's name.
	lookupTimeout = 2 * time.Second
	// lookupEvery is how often a name is looked up while it resolves, and
	// lookupRetry while it does not, in seconds.
	lookupEvery = 30
	lookupRetry = 2
)

func newBackend(service string, c config.Server, slowStart time.Duration) *backend {
	b := &backend{
		server: balancing.NewServer(balancing.ServerOptions{
			Name: c.Name, Address: c.Address, Weight: c.Weight, MaxConnections: c.MaxConnections, SlowStart: slowStart,
		}),
		service: service, host: c.Host, port: c.Port, weight: c.Weight, states: map[string]negotiate.State{},
		quiet: rate.Sometimes{First: 1, Interval: refusalLogEvery},
	}
	if ip, err := netip.ParseAddr(c.Host); err == nil {
		ip = ip.Unmap()
		b.addr.Store(&ip)
		b.lookAgain.Store(1<<62 - 1)
	}
	return b
}

// target is where to dial for a client that came to the given port; false
// while the server's name does not resolve.
func (b *backend) target(came uint16) (netip.AddrPort, bool) {
	ip := b.addr.Load()
	if ip == nil {
		return netip.AddrPort{}, false
	}
	if b.port != 0 {
		came = uint16(b.port)
	}
	return netip.AddrPortFrom(*ip, came), true
}

// refresh looks the server's name up again when it is time. It does not wait.
func (b *backend) refresh(now time.Time, running *sync.WaitGroup) {
	if now.Unix() < b.lookAgain.Load() || !b.looking.CompareAndSwap(false, true) {
		return
	}
	running.Go(func() {
		defer b.looking.Store(false)
		b.lookUp(context.Background())
	})
}

// lookUp keeps the last known address when the name does not resolve for once.
func (b *backend) lookUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", b.host)
	if err != nil || len(ips) == 0 {
		b.lookAgain.Store(time.Now().Unix() + lookupRetry)
		return
	}
	b.lookAgain.Store(time.Now().Unix() + lookupEvery)
	// A name with several addresses keeps the one in use as long as it is
	// among them; the first otherwise.
	if have := b.addr.Load(); have != nil {
		for _, ip := range ips {
			if ip.Unmap() == *have {
				return
			}
		}
	}
	ip := ips[0].Unmap()
	b.addr.Store(&ip)
}

// commit takes the numbers of a new generation. A weight that a person set in
// the running gateway holds until the file names another one. A check that is no
// more can change the judgement.
func (b *backend) commit(s *config.Service, c config.Server, now time.Time) verdict {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cutting, b.panics = s.OnDown == "close", s.Panic == "all"
	b.flapping, b.passive = s.Flapping, s.Passive
	b.server.SetDegradedWeight(s.DegradedWeight)
	if c.Weight != b.weight {
		b.server.SetWeight(c.Weight)
		b.weight = c.Weight
	}
	most := c.MaxConnections
	if s.Protocol == "mllp" && s.MLLP.Routing == perMessage {
		most = 0 // the exchange keeps it: a session is a message there
	}
	b.server.SetMaxConnections(most)
	b.server.SetSlowStart(s.SlowStart)
	b.keepStates(c.Checks)
	b.relent(now)
	return b.judge(now)
}

// cuts tells whether sessions end when the server goes down.
func (b *backend) cuts() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cutting
}

// join puts a session into the list of its server. It returns why the session
// must not go on, when a reload or a judgement overtook its dial; "" if it may.
func (b *backend) join(s *session) relay.End {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.next = b.sessions
	if s.next != nil {
		s.next.prev = s
	}
	b.sessions = s
	b.running++
	switch {
	case b.drained:
		return endDrained
	case b.cutting && b.server.Health() == balancing.Down && !b.panics:
		return endServerDown
	}
	return ""
}

func (b *backend) part(s *session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.prev != nil {
		s.prev.next = s.next
	} else {
		b.sessions = s.next
	}
	if s.next != nil {
		s.next.prev = s.prev
	}
	s.prev, s.next = nil, nil
	b.running--
}

// abort ends all sessions of a server, and those that are about to be its.
func (b *backend) abort(why relay.End) int {
	b.mu.Lock()
	b.drained = b.drained || why == endDrained
	b.mu.Unlock()
	return b.cut(why)
}

// cut ends the sessions that the server has now.
func (b *backend) cut(why relay.End) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := b.sessions; s != nil; s = s.next {
		s.flow.Abort(why)
	}
	return b.running
}

// silentTo lists the clients to whom the server owes a response for longer than
// most.
func (b *backend) silentTo(now time.Time, most time.Duration) []netip.AddrPort {
	b.mu.Lock()
	defer b.mu.Unlock()
	var clients []netip.AddrPort
	for s := b.sessions; s != nil; s = s.next {
		if s.association != nil && s.association.silent(now, most) {
			clients = append(clients, s.source)
		}
	}
	return clients
}

// addressText is HOST:PORT, or HOST alone when the server takes the port that
// the client came to.
func (b *backend) addressText() string {
	if b.port == 0 {
		return b.host
	}
	return net.JoinHostPort(b.host, strconv.Itoa(b.port))
}
