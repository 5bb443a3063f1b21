package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"
	"golang.org/x/sys/unix"

	"gantry/gateway/admin"
	"gantry/gateway/config"
	"gantry/gateway/engine"
)

// adminGrace is how long running admin requests may take when the address is
// closed.
const adminGrace = 3 * time.Second

// adminServer is the admin address while it is open. Its handler can change
// under it, because a reload can change the token.
type adminServer struct {
	listener net.Listener
	server   *http.Server
	handler  atomic.Pointer[http.Handler]
	most     int
}

// ServeHTTP goes to the handler in force.
func (a *adminServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	(*a.handler.Load()).ServeHTTP(w, r)
}

func (a *adminServer) addr() string { return a.listener.Addr().String() }

func (g *Gateway) openAdmin(c config.Admin, most int) (*adminServer, error) {
	listener, err := net.Listen(familyOf(c.Listen), c.Listen)
	if err != nil {
		return nil, fmt.Errorf("admin: cannot listen on %s: %w", c.Listen, g.explainAdmin(c.Listen, cause(err)))
	}
	a := &adminServer{listener: listener, most: most}
	a.server = admin.NewServer(a, g.log)
	a.use(g.adminHandler(c.Token))
	g.housed.Go(func() {
		if err := a.server.Serve(netutil.LimitListener(listener, most)); !errors.Is(err, http.ErrServerClosed) {
			g.log.Error("the admin address stopped", "err", err.Error())
		}
	})
	return a, nil
}

// familyOf keeps 0.0.0.0 to IPv4, as for services; net.Listen alone would take
// IPv6 clients too.
func familyOf(listen string) string {
	if a, err := netip.ParseAddrPort(listen); err == nil && a.Addr().Is4() {
		return "tcp4"
	}
	return "tcp"
}

// explainAdmin knows one case that is nobody else's fault.
func (g *Gateway) explainAdmin(listen string, err error) error {
	_, port, _ := net.SplitHostPort(listen)
	if page := g.page.Load(); page != nil && errors.Is(err, unix.EADDRINUSE) {
		if _, have, _ := net.SplitHostPort(page.addr()); have == port {
			return fmt.Errorf("%w: this gateway itself listens on %s; take another port, or restart", err, page.addr())
		}
	}
	return engine.Explain(err)
}

// cause strips the address and the name of the system call, which the caller
// says in its own way.
func cause(err error) error {
	var call *os.SyscallError
	if errors.As(err, &call) {
		return call.Err
	}
	return err
}

func (g *Gateway) adminHandler(token string) http.Handler {
	return admin.Handler(admin.Options{Control: g, Gatherer: g.opts.Registry, Token: token, Logger: g.log})
}

func (a *adminServer) use(h http.Handler) { a.handler.Store(&h) }

func (a *adminServer) close() {
	ctx, cancel := context.WithTimeout(context.Background(), adminGrace)
	defer cancel()
	if a.server.Shutdown(ctx) != nil {
		_ = a.server.Close()
	}
}

// reopenAdmin opens the admin address of a new configuration, if it is another
// one; nil means that the present one stays.
func (g *Gateway) reopenAdmin(old, now config.Admin) (*adminServer, error) {
	if old.Listen == now.Listen {
		return nil, nil
	}
	return g.openAdmin(now, g.page.Load().most)
}

// swapAdmin puts the new admin address, or the new token on the old one, in
// force. The reload may have come by the old address, so that is closed beside.
func (g *Gateway) swapAdmin(fresh *adminServer, c config.Admin) {
	if fresh == nil {
		g.page.Load().use(g.adminHandler(c.Token))
		return
	}
	old := g.page.Swap(fresh)
	g.housed.Go(old.close)
}
