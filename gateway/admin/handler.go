package admin

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Options are what [Handler] serves from.
type Options struct {
	Control  Control             // required
	Gatherer prometheus.Gatherer // required: what /metrics shows
	// Token, when not empty, must come as "Authorization: Bearer TOKEN" with every request but /healthz, /readyz and
	// /metrics. When it is empty, requests must name the gateway by an IP address or as localhost (see guard).
	Token  string
	Logger *slog.Logger // nil: nothing is logged
}

const (
	// reloadTimeout bounds one reload asked for by the API. It is well above what binding listeners takes, and below
	// writeTimeout, so that the caller still reads the answer.
	reloadTimeout = 30 * time.Second
	// maxScrapes bounds how many /metrics answers are built at once: each holds all samples in memory.
	maxScrapes = 4
)

// api is the handler's state; it has none besides its options.
type api struct {
	control  Control
	gatherer prometheus.Gatherer
	log      *slog.Logger
	probes   chan struct{} // one token for each check that a caller asked for and that runs
}

// route is one line of the API's table: everything the handler serves, what it asks of the caller, and its line in the
// index.
type route struct {
	method, path string
	open         bool // served without a token: what orchestrators and Prometheus ask for
	about        string
	serve        http.HandlerFunc
}

func (a *api) routes() []route {
	return []route{
		{http.MethodGet, "/{$}", false, "this page", nil},
		{http.MethodGet, "/api/v1/status", false, "services and servers, JSON", a.status},
		{http.MethodGet, "/api/v1/events", false, "last state changes and administrative actions, JSON", a.events},
		{http.MethodPut, "/api/v1/services/{service}/servers/{server}", false,
			`{"admin": "ready|drain|maint"} and/or {"weight": 1…256}`, a.setServer},
		{http.MethodGet, "/api/v1/services/{service}/servers/{server}/checks", false,
			"the last results of each check, failures kept longer, JSON", a.history},
		{http.MethodPost, "/api/v1/services/{service}/servers/{server}/checks/{check}/run", false,
			"make one check now; ?transcript=true shows the conversation, patient fields masked", a.runCheck},
		{http.MethodGet, "/probe", false, "?service=NAME&target=HOST:PORT: the service's checks, once, for Prometheus", a.probe},
		{http.MethodPost, "/api/v1/reload", false, "read the configuration file again", a.reload},
		{http.MethodGet, "/metrics", true, "Prometheus", a.metrics()},
		{http.MethodGet, "/healthz", true, "the process is alive", a.healthz},
		{http.MethodGet, "/readyz", true, "configuration loaded, listeners open", a.readyz},
	}
}

// Handler returns the admin API, metrics and health pages. It panics when Control or Gatherer is missing, which is a
// programmer's mistake. Timeouts are those of [NewServer]; the limit of connections is the listener's.
func Handler(o Options) http.Handler {
	if o.Control == nil || o.Gatherer == nil {
		panic("admin: Control and Gatherer are required")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	a := &api{control: o.Control, gatherer: o.Gatherer, log: o.Logger, probes: make(chan struct{}, maxProbes)}
	g := newGuard(o.Token, o.Logger)
	return a.recovered(withHeaders(g.knownHost(a.mux(g))))
}

// mux registers every route twice: with its method, and without, for the 405 in the contract's form (the mux's own
// would be plain text).
func (a *api) mux(g *guard) *http.ServeMux {
	routes := a.routes()
	mux := http.NewServeMux()
	for _, r := range routes {
		h := http.Handler(r.serve)
		if r.serve == nil {
			h = index(routes)
		}
		if !r.open {
			h = g.authorized(g.sameSite(h))
		}
		mux.Handle(r.method+" "+r.path, h)
		mux.Handle(r.path, methodNotAllowed(r.method))
	}
	mux.HandleFunc("/", notFound)
	return mux
}

// index answers / with the table of routes, for a person with curl.
func index(routes []route) http.Handler {
	var b strings.Builder
	b.WriteString("gantry admin\n\n")
	for _, r := range routes {
		fmt.Fprintf(&b, "%-5s %s\n      %s\n", r.method, strings.TrimSuffix(r.path, "{$}"), r.about)
	}
	text := b.String()
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { writeText(w, text) })
}

func (a *api) status(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, a.control.Status().filled())
}

// events wraps the list in an object, so that the answer can grow.
func (a *api) events(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, eventList{Events: filled(a.control.Events())})
}

type eventList struct {
	Events []Event `json:"events"`
}

func (a *api) setServer(w http.ResponseWriter, r *http.Request) {
	var c ServerChange
	if err := readJSON(w, r, &c, `"admin" and "weight"`); err != nil {
		writeError(w, err)
		return
	}
	if err := c.Validate(); err != nil {
		writeError(w, err)
		return
	}
	c.By = clientAddress(r)
	service, server := r.PathValue("service"), r.PathValue("server")
	if err := a.control.SetServer(service, server, c); err != nil {
		writeError(w, err)
		return
	}
	a.showServer(w, service, server)
}

// showServer answers with the server as it is after a change.
func (a *api) showServer(w http.ResponseWriter, service, server string) {
	s, ok := a.control.Status().Server(service, server)
	if !ok { // a reload took it away between the change and now
		writeError(w, &NotFoundError{Kind: "server", Name: service + "/" + server})
		return
	}
	s.Checks = filled(s.Checks)
	writeJSON(w, http.StatusOK, s)
}

func (a *api) reload(w http.ResponseWriter, r *http.Request) {
	if err := noBody(w, r); err != nil {
		writeError(w, err)
		return
	}
	// Without the request's cancellation: a caller that hangs up must not turn a sound reload into a failed one.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), reloadTimeout)
	defer cancel()
	d, err := a.control.Reload(WithActor(ctx, clientAddress(r)))
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, d.filled())
}

// metrics keeps going when one collector fails: half the samples are worth more than none to somebody on call.
func (a *api) metrics() http.HandlerFunc {
	return promhttp.HandlerFor(a.gatherer, promhttp.HandlerOpts{
		ErrorHandling:       promhttp.ContinueOnError,
		ErrorLog:            slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
		MaxRequestsInFlight: maxScrapes,
	}).ServeHTTP
}

func (a *api) healthz(w http.ResponseWriter, _ *http.Request) { writeText(w, "ok\n") }

func (a *api) readyz(w http.ResponseWriter, _ *http.Request) {
	if err := a.control.Ready(); err != nil {
		writeError(w, &Error{Status: http.StatusServiceUnavailable, Code: codeNotReady, Message: err.Error()})
		return
	}
	writeText(w, "ready\n")
}
