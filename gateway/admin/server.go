package admin

import (
	"log/slog"
	"net/http"
	"time"
)

// Bounds of the admin server. Every answer but a reload's is ready within milliseconds; the bounds are there for
// callers that stall.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	writeTimeout      = 60 * time.Second // reloadTimeout and time to send a large /metrics over a slow line
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 32 << 10
)

// NewServer returns an http.Server for h with this package's time and size bounds. The caller listens (with a limit of
// connections, as golang.org/x/net/netutil sets), serves and shuts down. A nil logger is silent.
func NewServer(h http.Handler, log *slog.Logger) *http.Server {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // callers' broken connections, mostly
	}
}
