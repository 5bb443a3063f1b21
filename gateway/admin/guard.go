package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// guard keeps out who should not be here. Three strangers are meant:
//
//   - a caller without the token, where one is set;
//   - a page in the administrator's browser that sends PUT or POST to loopback (cross-site request forgery);
//   - a page that lets its own name resolve to 127.0.0.1 in order to READ the API as if it were its own site
//     (DNS rebinding). It cannot choose the Host header, so a name that is not ours gives it away.
type guard struct {
	digest  [sha256.Size]byte // of the token
	locked  bool              // a token is set
	cross   *http.CrossOriginProtection
	log     *slog.Logger
	refusal rate.Sometimes // a scanner must not fill the log
}

// refusalInterval is the least time between two log lines about refused callers.
const refusalInterval = 10 * time.Second

func newGuard(token string, log *slog.Logger) *guard {
	return &guard{
		digest:  sha256.Sum256([]byte(token)),
		locked:  token != "",
		cross:   http.NewCrossOriginProtection(),
		log:     log,
		refusal: rate.Sometimes{First: 1, Interval: refusalInterval},
	}
}

// knownHost refuses foreign names in Host while no token protects the API. With a token there is nothing to gain: a
// rebinding page does not have it.
func (g *guard) knownHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.locked && !localName(r.Host) {
			g.refuse(w, r, &Error{Status: http.StatusForbidden, Code: codeForbidden,
				Message: "without admin.token the gateway answers only to an IP address or localhost; use one of them, or set admin.token"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// localName tells whether a Host header holds an address or localhost. An empty one comes from an HTTP/1.0 checker;
// browsers always send it.
func localName(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	_, err := netip.ParseAddr(host)
	return err == nil || host == "" || strings.EqualFold(host, "localhost")
}

// authorized asks for the bearer token. Digests are compared, so that neither length nor content of the token shows in
// the time that the comparison takes.
func (g *guard) authorized(next http.Handler) http.Handler {
	if !g.locked {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := sha256.Sum256([]byte(bearer(r.Header.Get("Authorization"))))
		if subtle.ConstantTimeCompare(got[:], g.digest[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="gantry"`)
			g.refuse(w, r, &Error{Status: http.StatusUnauthorized, Code: codeUnauthorized,
				Message: "this call needs the token of admin.token, as Authorization: Bearer TOKEN"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// bearer returns the token of an Authorization header, or nothing. The scheme's case does not matter (RFC 9110 11.1).
func bearer(header string) string {
	scheme, token, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// sameSite refuses state-changing requests that a browser marks as coming from another site (Sec-Fetch-Site, or Origin
// in older ones). Commands and scripts send neither header and pass.
func (g *guard) sameSite(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.cross.Check(r) != nil {
			g.refuse(w, r, &Error{Status: http.StatusForbidden, Code: codeForbidden,
				Message: "a page of another site sent this request; changes are taken from this site, commands and scripts"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (g *guard) refuse(w http.ResponseWriter, r *http.Request, e *Error) {
	g.refusal.Do(func() {
		g.log.Warn("admin request refused", "client", clientAddress(r), "reason", e.Code, "err", e.Message)
	})
	writeError(w, e)
}

// clientAddress is the caller's address without its port: what an event and the log say about who asked.
func clientAddress(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

// withHeaders marks every answer: not to be stored, and never to be taken for anything but its type.
func withHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		next.ServeHTTP(w, r)
	})
}

// recovered turns a panic in a Control into a 500 and a log line with its stack: traffic must not end for a broken
// status page.
func (a *api) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch v := recover(); v {
			case nil:
			case http.ErrAbortHandler: // net/http's own way to end an answer; not an accident
				panic(v)
			default:
				a.log.Error("admin request panicked", "client", clientAddress(r), "err", fmt.Sprintf("%v\n%s", v, debug.Stack()))
				writeError(w, &Error{Status: http.StatusInternalServerError, Code: codeInternal,
					Message: "the gateway made a mistake; its log has the details"})
			}
		}()
		next.ServeHTTP(w, r)
	})
}
