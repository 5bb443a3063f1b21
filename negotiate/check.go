package negotiate

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// Prober holds one conversation with a server.
type Prober interface {
	// Negotiate talks on conn, which the caller opened and will close. It returns nil if
	// the server is healthy, a *Fault that says what is wrong, or any other error, which
	// the caller turns into a Fault of the stage entered last (see Enter).
	//
	// When ctx ends, reads and writes on conn fail; Negotiate then returns at once, at most
	// after a last short word to the peer (see Farewell). It keeps no reference to conn.
	// It may be called for several connections at once.
	Negotiate(ctx context.Context, conn net.Conn) error
}

// Standalone is a Prober that needs no connection, such as a program that checks by its own
// means: Negotiate is called with a nil conn, in StageAsk, and nothing is dialled.
type Standalone interface {
	Prober
	Standalone()
}

// Settings is the part of a check's configuration that belongs to its kind. The
// configuration decodes it by its field tags, then asks it to judge itself.
type Settings interface {
	// Validate reports every bad value: the key as written in the configuration, what was
	// got, and what is right.
	Validate(report func(key, got, want string))

	// Prober builds the probe for one server. A nil Prober means that connecting (and TLS,
	// if set) is the whole check. An error means settings that Validate would have refused.
	Prober(t Target) (Prober, error)
}

// Target tells a Prober whom it will talk to, for the words that name the server and for
// protocols that carry the address, as HTTP does in its Host header.
type Target struct {
	Service, Server string // names in the configuration
	Host            string // host name or IP address, without port
	Port            int    // 1..65535; 0 = not known
	Secure          bool   // the connection will be TLS
	AETitle         string // called AE title that the server expects; empty = nobody said
	Version         string // gantry's own version, for protocols where the client names itself
}

// Bounds and defaults of a Check.
const (
	DefaultInterval = 10 * time.Second
	DefaultTimeout  = 5 * time.Second
)

// Check says what to ask a server and how often.
type Check struct {
	Name, Kind string

	// Address returns "HOST:PORT". It is called anew for each check, so that a name may be
	// resolved again; it must answer quickly, it is not bounded by Timeout.
	Address func() (string, error)

	// Dial opens the connection; nil means plain TCP.
	Dial func(ctx context.Context, address string) (net.Conn, error)

	// TLS, if set, wraps the connection. An empty ServerName means the host of Address.
	TLS *tls.Config

	// Prober is the conversation; nil means that connecting is the whole check.
	Prober Prober

	// MaxLatency is the time from the start of the check to its answer, the close left out,
	// beyond which a healthy server counts as degraded; 0 = no bound.
	MaxLatency time.Duration

	// Witness, if set, is called as a check begins, and speaks for live traffic: a server with
	// a single place cannot answer a check while it works. A non-empty skip says in words why
	// the server need not be asked this time. Otherwise excuse is asked when the check failed
	// with a timeout or a Fault that is Busy: a non-empty answer says why the failure is not
	// to be counted.
	Witness func() (skip string, excuse func() string)

	// Interval is the longest time from the start of one check to the start of the next
	// (0 = DefaultInterval). FastInterval takes its place while a count is moving,
	// DownInterval while the server is down; 0 means Interval.
	Interval, FastInterval, DownInterval time.Duration

	// Timeout bounds one whole check, from name resolution to close; 0 = DefaultTimeout.
	Timeout time.Duration

	// Rise and Fall are the results in a row that turn a server up or down; below 1 means 1.
	Rise, Fall int

	// Jitter, 0..1, is the share of each wait that is left to chance: a wait of 10 s with
	// 0.2 takes 8 to 10 s. It only shortens, so that Interval stays a promise.
	Jitter float64

	// Fingerprint stands for everything above: equal fingerprints mean equal settings, and
	// Supervisor.Reconcile then leaves the monitor alone.
	Fingerprint string
}

func (c Check) timeout() time.Duration {
	if c.Timeout <= 0 {
		return DefaultTimeout
	}
	return c.Timeout
}
