package admin

import "time"

// Status is the answer of GET /api/v1/status: the whole running gateway at one moment.
type Status struct {
	Version  string          `json:"version"`
	Started  time.Time       `json:"started"`
	Config   ConfigStatus    `json:"config"`
	Services []ServiceStatus `json:"services"` // in the order of the configuration file
	// Stopping: no new sessions are taken, those that run may finish.
	Stopping bool `json:"stopping"`
	// Leaving are servers that a reload took away and that still have sessions.
	Leaving []LeavingStatus `json:"leaving"`
}

// LeavingStatus is a server that is in the configuration no more.
type LeavingStatus struct {
	Service string     `json:"service"`
	Server  string     `json:"server"`
	Left    LeftStatus `json:"left"`
}

// LeftStatus is what is left on a server that takes no new sessions.
type LeftStatus struct {
	Sessions int       `json:"sessions"`
	Bytes    int64     `json:"bytes"`          // both ways, so far
	Words    string    `json:"words"`          // "3 associations, 1.2 GB so far, CT2 → DICOM1"; empty when nothing is left
	Until    time.Time `json:"until,omitzero"` // when the rest is aborted; absent = not by itself
	// Oldest are the sessions, oldest first; at most 64 of them.
	Oldest []SessionStatus `json:"oldest"`
}

// SessionStatus is one session.
type SessionStatus struct {
	Client    string    `json:"client"`               // IP:PORT
	CalledAE  string    `json:"called_ae,omitempty"`  // dicom
	CallingAE string    `json:"calling_ae,omitempty"` // dicom
	Began     time.Time `json:"began"`
	Bytes     int64     `json:"bytes"` // both ways, so far
}

// ConfigStatus tells which configuration is in force and whether the last attempt to load one succeeded.
type ConfigStatus struct {
	Hash   string    `json:"hash"`   // of the configuration in force, as in gantry_config_info
	Loaded time.Time `json:"loaded"` // when the configuration in force was taken
	OK     bool      `json:"ok"`     // false: the last reload was refused, and the older configuration stays in force
	// Problems are those of the last refused reload; empty while OK.
	Problems []Problem `json:"problems"`
}

// Problem is one mistake in a configuration file. Its fields stand in the same order and have the same types as
// gateway/config's, so that one converts into the other.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"` // from 1; 0 when the problem has no place in the file
	Col     int    `json:"col"`  // from 1; 0 when the problem has no place in the file
	Path    string `json:"path"`
	Message string `json:"message"`
	Got     string `json:"got"`
	Want    string `json:"want"`
}

// ServiceStatus is one virtual service.
type ServiceStatus struct {
	Name     string         `json:"name"`
	Protocol string         `json:"protocol"` // tcp | dicom | mllp
	Mode     string         `json:"mode"`     // l7-snat
	Listen   []string       `json:"listen"`   // HOST:PORT, as bound
	State    string         `json:"state"`    // up | degraded | checking | panic | down: the best that its servers offer
	Servers  []ServerStatus `json:"servers"`  // in the order of the configuration file
}

// ServerStatus is one real server of one service.
type ServerStatus struct {
	Name       string        `json:"name"`
	Address    string        `json:"address"` // HOST:PORT, or HOST alone when the server takes the port the client came to
	State      string        `json:"state"`   // up | degraded | down | checking | held | ejected | drain | maint: what holds, after a person's word
	Admin      string        `json:"admin"`   // ready | drain | maint: what a person asked for
	Weight     int           `json:"weight"`  // 1…256
	Backup     bool          `json:"backup"`
	Active     int64         `json:"active"`               // sessions now
	Total      int64         `json:"total"`                // sessions since the gateway started
	BytesIn    int64         `json:"bytes_in"`             // from clients to this server
	BytesOut   int64         `json:"bytes_out"`            // from this server to clients
	AsideUntil time.Time     `json:"aside_until,omitzero"` // while held or ejected: when it is used again
	Left       *LeftStatus   `json:"left,omitempty"`       // while it takes no new sessions because a person, or the end of the gateway, wants it so
	Checks     []CheckStatus `json:"checks"`               // in the order of the configuration file
}

// CheckStatus is the last result of one check of one server.
type CheckStatus struct {
	Name       string    `json:"name"`
	Type       string    `json:"type"`          // connect, dicom-echo, mllp, …
	State      string    `json:"state"`         // up | degraded | down | checking
	Since      time.Time `json:"since"`         // when State was entered
	Last       time.Time `json:"last,omitzero"` // when the last check began; absent before the first
	DurationMS float64   `json:"duration_ms"`   // of the last check, in milliseconds
	Stage      string    `json:"stage"`         // what the message is about: connect | tls | open | ask | close; empty when all was well
	Reason     string    `json:"reason"`        // why, from negotiate's closed set; empty when all was well
	Message    string    `json:"message"`       // the last result as one sentence for people
}

// Event is a state change or an administrative action.
type Event struct {
	Time    time.Time `json:"time"`
	Kind    string    `json:"kind"` // state | held | ejected | back | admin | weight | reload | start
	Service string    `json:"service,omitempty"`
	Server  string    `json:"server,omitempty"`
	Check   string    `json:"check,omitempty"`
	From    string    `json:"from,omitempty"`
	To      string    `json:"to,omitempty"`
	Message string    `json:"message,omitempty"`
	By      string    `json:"by,omitempty"` // who asked: the API client's address, "signal", or empty for the gateway itself
}

// ServerChange asks for another administrative state, another weight, or both at once. A nil field stays as it is.
type ServerChange struct {
	Admin  *string `json:"admin,omitempty"`  // ready | drain | maint
	Weight *int    `json:"weight,omitempty"` // 1…256
	By     string  `json:"-"`                // for the event: the address of the API client; set by the handler
}

// Reloaded is the difference that a reload made.
type Reloaded struct {
	Changed   bool       `json:"changed"` // false: the file was the one already in force, and nothing was touched
	Hash      string     `json:"hash"`    // of the configuration now in force
	Services  Difference `json:"services"`
	Servers   Difference `json:"servers"`   // as SERVICE/SERVER
	Listeners Difference `json:"listeners"` // as HOST:PORT
}

// Difference names what came, went, and stayed under the same name with other settings.
type Difference struct {
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
	Changed []string `json:"changed"`
}

// The words of [ServerChange.Admin], and the bounds of its Weight.
const (
	AdminReady = "ready"
	AdminDrain = "drain"
	AdminMaint = "maint"

	MinWeight = 1
	MaxWeight = 256
)
