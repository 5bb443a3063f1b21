package httpcheck

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"time"

	"gantry/negotiate"
)

// websocketMagic is what a server mixes into its answer, RFC 6455 section 1.3.
const websocketMagic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// upgrade asks for a WebSocket and closes it at once: proxies that do not know upgrades break
// viewers in this way while every page comes well.
func (t *talk) upgrade() *negotiate.Fault {
	key := newKey()
	if fault := t.Ask(t.upgradeRequest(key)); fault != nil {
		return fault
	}
	if t.Response.StatusCode != http.StatusSwitchingProtocols {
		return t.notUpgraded()
	}
	switch h := t.Response.Header; {
	case !strings.EqualFold(h.Get("Upgrade"), "websocket"):
		return t.Fault(negotiate.ReasonMismatch, "switches protocols, but not to a WebSocket: something in between is broken")
	case h.Get("Sec-WebSocket-Accept") != acceptOf(key):
		return t.Fault(negotiate.ReasonMismatch, "answers another client's request for a WebSocket: a cache or proxy in front of it is broken")
	}
	t.closeSocket()
	return nil
}

func (t *talk) upgradeRequest(key string) *http.Request {
	r := t.request()
	r.Close = false
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	r.Header["Sec-WebSocket-Version"] = []string{"13"}
	r.Header["Sec-WebSocket-Key"] = []string{key}
	return r
}

// newKey is a nonce of 16 bytes, RFC 6455 section 4.1.
func newKey() string {
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // never fails
	return base64.StdEncoding.EncodeToString(nonce)
}

func acceptOf(key string) string {
	sum := sha1.Sum([]byte(key + websocketMagic))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// notUpgraded explains any other answer; its body is read only so that the server may finish.
func (t *talk) notUpgraded() *negotiate.Fault {
	if fault := t.readBody(); fault != nil {
		return fault
	}
	switch code := t.Response.StatusCode; {
	case t.redirected():
		return t.follow(MaxRedirects)
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return t.Fault(negotiate.ReasonBadStatus, t.Said()+": the WebSocket needs a login, or another Origin; set one in headers")
	case code < 500 && code != http.StatusNotFound:
		return t.Fault(negotiate.ReasonBadStatus, t.Said()+" instead of opening a WebSocket: a proxy in between does not pass upgrades on, or the path is wrong")
	}
	sentence, _ := t.Failure()
	return t.Fault(negotiate.ReasonBadStatus, sentence)
}

// closeWait bounds the wait for the other side's goodbye.
const closeWait = time.Second

// closeSocket says goodbye as RFC 6455 section 5.5.1 asks: a masked close frame with code 1000,
// then the server closes. A server that does not is no worse for it.
func (t *talk) closeSocket() {
	negotiate.Enter(t.ctx, negotiate.StageClose)
	// FIN and opcode 8, mask bit and length 2, mask of zeros, 1000.
	if _, err := t.conn.Write([]byte{0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8}); err != nil {
		return
	}
	negotiate.ReadWithin(t.ctx, t.conn, closeWait)
	t.Allow(MaxBody)
	_, _ = io.Copy(io.Discard, t.Reader())
}
