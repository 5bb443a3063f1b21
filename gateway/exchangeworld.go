package gateway

import (
	"context"
	"log/slog"
	"time"

	"gantry/gateway/mllpgate"
	"gantry/gateway/relay"
)

// Answer writes to a client.
func (x *exchange) Answer(c *mllpgate.Client, frames []byte) {
	s := c.State.(*sender)
	if s.over {
		return
	}
	flushed, err := s.link.Write(frames)
	if err != nil {
		x.do(func(time.Time) { s.gone(relay.ClientReset) })
		return
	}
	s.out += int64(len(frames))
	if !flushed && !s.stuffed && s.link.Pending() > maxAnswers {
		s.stuffed = true
		s.link.Pause()
	}
}

// Pending is what has not left yet of what was sent to a server, in bytes.
func (x *exchange) Pending(l *mllpgate.Link) int {
	if s := l.State.(*receiver); s.link != nil {
		return s.link.Pending()
	}
	return 0
}

// Pause has a client read no further.
func (x *exchange) Pause(c *mllpgate.Client) {
	s := c.State.(*sender)
	s.paused = true
	if s.link != nil {
		s.link.Pause()
	}
}

// Resume undoes that, once the present event is over.
func (x *exchange) Resume(c *mllpgate.Client) {
	s := c.State.(*sender)
	s.paused = false
	s.readAgain()
}

// End closes a client's connection after its last answer.
func (x *exchange) End(c *mllpgate.Client, why mllpgate.Why) {
	s := c.State.(*sender)
	if s.over {
		return
	}
	if s.link != nil {
		s.link.Part()
	}
	s.leave(relay.End(why))
}

// Tell counts a message, and logs it.
func (x *exchange) Tell(o *mllpgate.Outcome) {
	x.counts.message(o)
	if o.Server != nil {
		o.Server.AddBytes(0, int64(o.Out))
	}
	level := slog.LevelDebug
	switch {
	case o.Ack == mllpgate.AckUnknown:
		level = slog.LevelWarn
	case x.svc.sessions:
		level = slog.LevelInfo
	}
	if !x.gateway.log.Enabled(context.Background(), level) {
		return
	}
	server := ""
	if o.Server != nil {
		server = o.Server.Name()
	}
	x.gateway.log.Log(context.Background(), level, messageSentence(o), "service", x.name, "server", server,
		"client", o.Client.String(), "message_type", o.Envelope.MessageType(), "control_id", shownID(o.Envelope.ControlID),
		"ack", o.Ack, "bytes_in", o.In, "bytes_out", o.Out, "waited", o.Waited.Round(shownTime), "took", o.Took.Round(shownTime))
}

// shownTime is to what times in a message's line are rounded.
const shownTime = 10 * time.Microsecond

// messageSentence says what became of a message.
func messageSentence(o *mllpgate.Outcome) string {
	switch o.Ack {
	case mllpgate.AckUnknown:
		return "message sent and not answered: its outcome is unknown"
	case mllpgate.AckClosed:
		return "message not sent: the client's connection is closed"
	case mllpgate.AckNAK:
		return "message answered by the gateway"
	case mllpgate.AckRejected:
		return "message rejected by a route; it asks for no answer"
	case mllpgate.AckWithdrawn:
		return "message not sent: its client left"
	case mllpgate.AckDuplicate:
		return "message sent once more: the first copy's answer counts"
	}
	return "message"
}

// maxShownID bounds what is logged of MSH-10, in bytes.
const maxShownID = 64

// shownID is a control id as it may be logged: it comes from a peer.
func shownID(id []byte) string { return printable(string(id[:min(len(id), maxShownID)])) }

// Notice counts what is wrong with a server's answers, and holds it against the server.
func (x *exchange) Notice(n mllpgate.Notice) {
	x.counts.trouble(n)
	b := x.backends[n.Server]
	if b == nil {
		return
	}
	var s symptom
	switch n.Trouble {
	case mllpgate.TroubleTimeout:
		s = silent
	case mllpgate.TroubleLost:
		s = mute
	case mllpgate.TroubleMismatch:
		s = mismatched
	case mllpgate.TroubleInternal:
		s = failing
	default:
		return
	}
	x.gateway.met(b, s, n.Client)
	level := slog.LevelWarn
	if n.Trouble == mllpgate.TroubleInternal {
		level = slog.LevelDebug // its sender is told
	}
	b.quiet.Do(func() {
		x.gateway.log.Log(context.Background(), level, troubleSentence(n.Trouble), "service", x.name, "server", b.server.Name(), "client", n.Client.String())
	})
}

func troubleSentence(t mllpgate.Trouble) string {
	switch t {
	case mllpgate.TroubleTimeout:
		return "no acknowledgement within mllp.ack_timeout: the server connection is closed"
	case mllpgate.TroubleLost:
		return "the server ended the connection in the place of an acknowledgement"
	case mllpgate.TroubleMismatch:
		return "the server answered another message than it was asked (MSA-2 is not MSH-10): dropped"
	}
	return "the server reports an internal error (207)"
}

// clientEnded writes the line of a client's connection.
func (g *Gateway) clientEnded(svc *service, c *sender, why relay.End) {
	level := slog.LevelDebug
	if svc.sessions {
		level = slog.LevelInfo
	}
	g.log.Log(context.Background(), level, "session ended", "service", svc.cfg.Name, "client", c.session.source.String(),
		"messages", c.messages, "bytes_in", c.in, "bytes_out", c.out, "took", time.Since(c.session.began).Round(time.Millisecond), "reason", string(why))
}
