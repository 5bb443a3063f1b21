package config

import (
	"crypto/tls"
	"net/netip"
	"time"
)

// Config is one configuration as the gateway uses it: every default filled in, every reference resolved, every rule
// checked. It is made by [Load] or [Parse] and not changed afterwards; the zero value is not useful.
type Config struct {
	Admin Admin
	Log   Log
	// AllowExec says that checks may run programs; without it there is none of type exec.
	AllowExec bool
	Services  []Service
	// Hash is the lower-case hexadecimal SHA-256 of the file's bytes as they were read. Secrets are never part of it:
	// the file holds only references to them.
	Hash string
}

// document is the file's outermost mapping. It exists beside Config because `defaults` is used up while decoding.
type document struct {
	Admin     Admin     `yaml:"admin" doc:"The web page, the API and the metrics."`
	Log       Log       `yaml:"log" doc:"What is logged, and how. Lines go to standard error."`
	AllowExec bool      `yaml:"allow_exec" default:"false" doc:"Whether checks of type exec may run programs on this machine, with the rights of the gateway. Whoever may write this file then may run programs."`
	Defaults  Service   `yaml:"defaults" doc:"Settings for every service that does not say otherwise."`
	Services  []Service `yaml:"services" required:"true" min:"1" max:"1000" doc:"The virtual services (VIPs): what clients connect to, and who serves them."`
}

// Admin says where the page, the API and the metrics are served.
type Admin struct {
	// Listen is IP:PORT or [IPv6]:PORT. Port 0 asks the system for a free one.
	Listen string `yaml:"listen" format:"listen" default:"127.0.0.1:9440" doc:"Address of the page, the API and the metrics."`
	// Token is the secret itself, already fetched from where the file points. Empty = none is asked for. Never log it.
	Token string `json:"-" yaml:"token" format:"secret" doc:"Callers must send \"Authorization: Bearer TOKEN\". Needed when listen is not a loopback address."`
}

// String leaves the token out, so that a configuration may be printed or logged as it is.
func (a Admin) String() string {
	if a.Token == "" {
		return "{" + a.Listen + " without token}"
	}
	return "{" + a.Listen + " with token}"
}

// GoString is String, for %#v.
func (a Admin) GoString() string { return a.String() }

// Log says what is logged.
type Log struct {
	Level    string `yaml:"level" default:"info" enum:"debug,info,warn,error" doc:"Lowest level that is logged."`
	Format   string `yaml:"format" default:"text" enum:"text,json" doc:"Form of the lines."`
	Sessions bool   `yaml:"sessions" default:"false" doc:"One INFO line for each session that ends (otherwise DEBUG)."`
}

// Service is one virtual service: the addresses clients connect to and the servers behind them.
// Keys marked place:"service" belong to one service and are not allowed under `defaults`.
type Service struct {
	Name     string `yaml:"name" place:"service" required:"true" format:"name" doc:"Name in logs, metrics and commands; used once."`
	Protocol string `yaml:"protocol" place:"service" required:"true" enum:"tcp,dicom,mllp" doc:"What the clients speak."`
	// Listen holds at least one address; none overlaps another one of the whole file.
	Listen []netip.AddrPort `yaml:"listen" place:"service" required:"true" min:"1" max:"64" doc:"Addresses that clients connect to."`

	Mode         string `yaml:"mode" default:"l7-snat" enum:"l7-snat" doc:"How connections reach the servers: from an address of the gateway."`
	Distribution string `yaml:"distribution" default:"balance" enum:"balance,failover" doc:"Share the clients out, or use the first usable server in file order. A client that persistence has moved to another server stays there after the first is back; say persistence: {by: none} for a return at once."`
	Algorithm    string `yaml:"algorithm" default:"least-connections" enum:"least-connections,round-robin,random-two,source-hash" doc:"How a server is chosen for a client that persistence does not place."`
	OnDown       string `yaml:"on_down" default:"drain" enum:"drain,close" doc:"What happens to the sessions of a server that goes down: they may finish, or are closed. Never close with a server that takes one association at a time: while it works, its check cannot be answered."`

	SlowStart time.Duration  `yaml:"slow_start" default:"30s" min:"0s" max:"1h" doc:"After a recovery (down to up) a server's share grows from small to full over this time. 0 = at once."`
	Limits    Limits         `yaml:"limits" doc:"Bounds on what clients may hold open."`
	Allow     []netip.Prefix `yaml:"allow" min:"1" max:"1024" doc:"Client networks that may connect. Absent = all."`
	Timeouts  Timeouts       `yaml:"timeouts" doc:"How long each step may take."`

	Persistence Persistence `yaml:"persistence" doc:"Keeps a client on its server. A client goes elsewhere only while that server is unusable, and stays there afterwards."`
	DICOM       DICOM       `yaml:"dicom" place:"service" doc:"For protocol dicom only."`
	MLLP        MLLP        `yaml:"mllp" place:"service" doc:"For protocol mllp only."`

	// Passive is nil when live failures only ask for a check.
	Passive *Passive `yaml:"passive" doc:"Live failures take a server out by themselves. Absent = they only ask for a check at once. An empty block {} turns it on."`
	// DegradedWeight is a share, 0.01…1.
	DegradedWeight float64  `yaml:"degraded_weight" format:"percent" default:"50%" min:"0.01" max:"1" doc:"Share of its weight that a degraded server keeps: one that answers its checks, but slowly or not in full."`
	Panic          string   `yaml:"panic" default:"none" enum:"none,all" doc:"When no server is usable. none = refuse the clients. all = use the servers that are judged down as if they were up: for services where a bad server is better than none."`
	Flapping       Flapping `yaml:"flapping" doc:"Holds back a server that comes up and falls again. One that is held back still serves while no other server can."`

	// Checks are the service's own (or the defaults', or the protocol's). The gateway uses the servers' Checks.
	Checks  []Check  `yaml:"checks" min:"1" max:"16" doc:"How the servers are judged; a server is up when all of them are up. Absent = one check that fits the protocol."`
	Servers []Server `yaml:"servers" place:"service" required:"true" min:"1" max:"256" doc:"The real servers (RIPs)."`

	Routes []Route `yaml:"routes" place:"service" min:"1" max:"100" doc:"Which associations (dicom) or messages (mllp with routing: per-message) go to which servers. The first route that matches counts; what no route matches goes to all servers."`
}

// Limits bounds what clients may hold open in one service.
type Limits struct {
	Connections          int `yaml:"connections" default:"0" min:"0" max:"1000000" doc:"Most connections at one time. 0 = no bound."`
	ConnectionsPerSource int `yaml:"connections_per_source" default:"0" min:"0" max:"1000000" doc:"Most connections of one client address at one time. 0 = no bound."`
}

// Timeouts of one service. None is negative; only Drain may be 0.
type Timeouts struct {
	Connect   time.Duration `yaml:"connect" default:"5s" min:"1ms" max:"10m" doc:"For opening a connection to a server; then the next server is tried."`
	Handshake time.Duration `yaml:"handshake" default:"30s" min:"1ms" max:"1h" doc:"For a client's first complete unit (dicom: the association request); no server is dialled before it. mllp: senders may be silent for hours, so the first byte has timeouts.client. tcp: dialled at once, does not apply."`
	Client    time.Duration `yaml:"client" default:"1h" min:"1ms" max:"8760h" doc:"A session ends when the client side was silent this long. mllp with routing: per-message: a client's connection is closed when nothing is under way on it for this long."`
	Server    time.Duration `yaml:"server" default:"1h" min:"1ms" max:"8760h" doc:"A session ends when the server side was silent this long. mllp with routing: per-message: does not apply, see ack_timeout and idle."`
	Drain     time.Duration `yaml:"drain" default:"10m" min:"0s" max:"168h" doc:"How long running sessions may finish when the gateway stops or their service is removed. 0 = closed at once."`
}

// Persistence says how a client is remembered.
type Persistence struct {
	By      string        `yaml:"by" default:"source-ip" enum:"source-ip,calling-ae,order-by,none" doc:"What a client is recognised by: its address, or (protocol dicom) its calling AE title, whatever address it comes from. mllp with routing: per-message: with order_by always order-by (all messages of one value go to one server), without it none, unless this or defaults says source-ip."`
	Timeout time.Duration `yaml:"timeout" default:"1h" min:"1s" max:"8760h" doc:"How long a client is remembered; the clock restarts at each new connection."`
	Entries int           `yaml:"entries" default:"100000" min:"1" max:"1000000" doc:"Most clients remembered; the oldest makes room. About 100 bytes each: 10 MB for the default, 100 MB for the maximum."`
}

// Passive says when failures of live sessions eject a server. Eject is never longer than MaxEject.
type Passive struct {
	// Failures is at least 1: a block with 0 is no block at all.
	Failures int           `yaml:"failures" default:"5" min:"0" max:"1000" doc:"Failures in a row, caused by the server, that eject it; any success in between starts the count anew. 0 = off, for a service where defaults turns it on."`
	Eject    time.Duration `yaml:"eject" default:"30s" min:"1s" max:"24h" doc:"How long the first ejection lasts; each further one doubles it."`
	MaxEject time.Duration `yaml:"max_eject" default:"10m" min:"1s" max:"168h" doc:"The longest ejection."`
	// MaxEjected is a share, 0.01…1.
	MaxEjected float64 `yaml:"max_ejected" format:"percent" default:"50%" min:"0.01" max:"1" doc:"Never more than this share of the service's servers is ejected at one time; the others stay, whatever their failures."`
}

// Flapping says how a server that comes up and soon falls again is held back. Hold is never longer than MaxHold.
type Flapping struct {
	Hold    time.Duration `yaml:"hold" default:"30s" min:"0s" max:"24h" doc:"A server that falls again soon (within forgive) is held back this long once its checks pass again; each further time doubles it. 0s = never."`
	MaxHold time.Duration `yaml:"max_hold" default:"5m" min:"0s" max:"168h" doc:"The longest hold."`
	Forgive time.Duration `yaml:"forgive" default:"10m" min:"1s" max:"168h" doc:"A fall within this time of the last one counts as flapping; each such time without a fall takes one doubling back."`
}

// Server is one real server of a service.
type Server struct {
	Name string `yaml:"name" required:"true" format:"name" doc:"Name in logs, metrics and commands; used once in the service."`
	// Address is what the file says; Host and Port are its parts.
	Address string `yaml:"address" required:"true" format:"address" doc:"HOST or HOST:PORT, an IP address or a name. Without a port: the port the client came to."`
	// Host is an IP address without brackets, or a name.
	Host string `yaml:"-"`
	// Port is 1…65535, or 0 for the port that the client came to.
	Port int `yaml:"-"`

	Weight         int  `yaml:"weight" default:"100" min:"1" max:"256" doc:"Share of the clients, relative to the other servers."`
	Backup         bool `yaml:"backup" default:"false" doc:"Takes new clients only when no server without this mark can. Clients that persistence has placed on it stay until they were away for its timeout."`
	MaxConnections int  `yaml:"max_connections" default:"0" min:"0" max:"1000000" doc:"Most connections at one time. 0 = no bound."`

	// AETitle is for servers of a dicom service.
	AETitle string `yaml:"ae_title" format:"ae" doc:"dicom: the called AE title that this server expects. It is written into the requests that are forwarded to it, in place of the one that the client sent; the client does not see it. Its checks ask for it too, where they do not say called_ae themselves."`

	// Checks are the resolved ones: the server's own, else the service's, else the protocol's default; never empty,
	// each with Address, Port and Fingerprint filled in.
	Checks []Check `yaml:"checks" min:"1" max:"16" doc:"Replace the service's checks for this server."`
}

// Check is one way of judging a server. The fields of its kind are in Settings.
type Check struct {
	Type string `yaml:"type" required:"true" format:"kind" doc:"Kind of check."`
	Name string `yaml:"name" format:"name" doc:"Name in logs, metrics and the status. Absent = the type."`

	Interval time.Duration `yaml:"interval" default:"10s" min:"100ms" max:"24h" doc:"Time from one check to the next."`
	// Timeout may be longer than Interval: the next check then starts late, two never run at once.
	Timeout time.Duration `yaml:"timeout" min:"10ms" max:"1h" doc:"For one whole check, from connecting to closing. May be longer than interval: the next check then starts late. Absent = 5s, or interval when that is shorter."`
	// MaxLatency is 0 for none, else less than Timeout.
	MaxLatency time.Duration `yaml:"max_latency" min:"1ms" max:"1h" doc:"A healthy answer that takes longer, from connecting on, makes the server degraded: it keeps degraded_weight of its share. Less than timeout. Absent = none."`
	Rise       int           `yaml:"rise" default:"2" min:"1" max:"100" doc:"Successes in a row that bring a server up."`
	Fall       int           `yaml:"fall" default:"3" min:"1" max:"100" doc:"Failures in a row that take a server down."`
	// FastInterval is never longer than Interval.
	FastInterval time.Duration `yaml:"fast_interval" min:"100ms" max:"24h" doc:"Instead of interval while the count is moving. Absent = 2s, or interval when that is shorter."`
	DownInterval time.Duration `yaml:"down_interval" min:"100ms" max:"24h" doc:"Instead of interval while the server is down. Absent = interval."`
	// Jitter is a share, 0…1.
	Jitter float64 `yaml:"jitter" format:"percent" default:"20%" min:"0" max:"1" doc:"Each wait is shortened by up to this share, at random, so that checks do not come in step."`

	// Address and Port are what is checked. In a Server's Checks both are filled in: the host without brackets, the
	// port 1…65535 (the server's, else the service's first listening port).
	Address string `yaml:"address" format:"address" doc:"HOST or HOST:PORT to check instead of the server's address."`
	Port    int    `yaml:"port" min:"1" max:"65535" doc:"Port to check. Absent = the server's, else the service's first listening port."`

	// TLS is nil when the check does not use it.
	TLS *TLS `yaml:"tls" doc:"The check speaks TLS. An empty block {} turns it on."`

	// AETitle is that of the server; a check that names a called AE title itself does not use it.
	AETitle string `yaml:"-"`

	// Settings holds the fields of the check's kind.
	Settings Settings `yaml:"-"`
	// Fingerprint is equal for checks of equal settings, and differs otherwise. It holds no secret.
	Fingerprint string `yaml:"-"`
}

// TLS says how a check speaks TLS; see [TLS.Client]. It is printed without the private key.
type TLS struct {
	ServerName string `yaml:"server_name" format:"host" doc:"Name sent (SNI) and expected in the certificate. Absent = the server's host."`
	CAFile     string `yaml:"ca_file" doc:"PEM file of the authorities to trust. Absent = the system's."`
	// Verify is false with a Fingerprint, unless the file says true.
	Verify     bool `yaml:"verify" default:"true" doc:"Whether the certificate must be valid: signed by a known authority, in its time, for this name. Say false for a self-signed one. With fingerprint: false, unless written."`
	VerifyHost bool `yaml:"verify_host" default:"true" doc:"Whether the name in the certificate must be the server's. Say false for certificates of medical nodes that name no host; authority and time are then still checked."`
	// Fingerprint is 64 lower-case hexadecimal digits, or empty.
	Fingerprint string `yaml:"fingerprint" format:"fingerprint" doc:"The server must show exactly this certificate: its SHA-256, in hexadecimal with or without colons, as openssl x509 -noout -sha256 -fingerprint prints it. It takes the place of authority, name and time; write verify: true to have those checked as well."`
	CertFile    string `yaml:"cert_file" doc:"PEM file of the certificate that the check shows to servers that ask for one, its chain behind it. Read at load: reload after it was renewed."`
	KeyFile     string `yaml:"key_file" doc:"PEM file of the private key of cert_file, without passphrase."`
	MinVersion  string `yaml:"min_version" default:"1.2" enum:"1.0,1.1,1.2,1.3" doc:"Oldest version of TLS to accept. 1.0 and 1.1 also offer the old ciphers (RSA key exchange, CBC) that old systems need."`
	// CA is what was read from CAFile.
	CA []byte `yaml:"-"`
	// CertSum is the SHA-256 of the certificates in CertFile, so that new ones under the old name count as a change.
	CertSum string `yaml:"-"`

	certificate *tls.Certificate // of CertFile and KeyFile; nil without them
}
