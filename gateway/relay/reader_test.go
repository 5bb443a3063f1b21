package relay_test

import (
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/gateway/relay"
)

// witness is a Reader whose peers say "?" for a question, "yes" or "no" for an
// answer, and "bye" before they go.
type witness struct {
	*plain
	waits  []time.Duration // for Await, one after the other; 0 goes on to the next server
	parked chan struct{}
	open   bool // parked ones may go on

	log       sync.Mutex
	shown     [2]string
	skipped   [2]int
	early     []string
	unanswers []error
	ends      []relay.Side
}

var _ relay.Reader = (*witness)(nil)

func reader(addrs ...netip.AddrPort) *witness { return &witness{plain: handler(addrs...)} }

func (w *witness) Answered(f *relay.Flow, b []byte) bool {
	switch string(b) {
	case "yes":
		copy(b, "YES")
		return true
	case "no":
		w.next(f)
	case "bad":
		f.Refuse([]byte("sorry"))
	}
	return false
}

func (w *witness) Unanswered(f *relay.Flow, err error) {
	w.log.Lock()
	w.unanswers = append(w.unanswers, err)
	w.log.Unlock()
	if len(w.waits) > 0 {
		d := w.waits[0]
		w.waits = w.waits[1:]
		if d > 0 {
			f.Await(d)
			return
		}
	}
	f.Tell([]byte("leave"))
	w.next(f)
}

func (w *witness) Early(f *relay.Flow, b []byte) {
	w.log.Lock()
	w.early = append(w.early, string(b))
	w.log.Unlock()
	f.Finish(relay.ClientClosed)
}

func (w *witness) Resume(f *relay.Flow) {
	w.log.Lock()
	open := w.open
	w.log.Unlock()
	if open {
		w.next(f)
		return
	}
	f.Park(time.Hour)
}

func (w *witness) Passed(f *relay.Flow, from relay.Side, b []byte) {
	w.log.Lock()
	defer w.log.Unlock()
	w.shown[from] += string(b)
	if string(b) == "released" {
		f.Expire(50 * time.Millisecond)
	}
}

func (w *witness) Skipped(_ *relay.Flow, from relay.Side, n int) {
	w.log.Lock()
	defer w.log.Unlock()
	w.skipped[from] += n
}

func (w *witness) Ended(_ *relay.Flow, from relay.Side) bool {
	w.log.Lock()
	defer w.log.Unlock()
	w.ends = append(w.ends, from)
	return w.shown[from] == "bye"
}

func (w *witness) LastWords(_ *relay.Flow, why relay.End) (toClient, toServer []byte) {
	if why != relay.ClientReset && why != relay.ClientClosed {
		toClient = []byte("server gone")
	}
	if why != relay.ServerReset && why != relay.ServerClosed {
		toServer = []byte("client gone")
	}
	return toClient, toServer
}

// missing are the answers that did not come.
func (w *witness) missing() []error {
	w.log.Lock()
	defer w.log.Unlock()
	return slices.Clone(w.unanswers)
}

// ask begins a flow whose client has asked "?", and gives both ends of it after
// the server has taken the question.
func ask(t *testing.T, w *witness, limits relay.Limits, accept func() *net.TCPConn) (client, server *net.TCPConn) {
	t.Helper()
	r := newRelay(t, relay.Options{})
	client = adopt(t, r, w, limits, "?")
	server = accept()
	require.Equal(t, "?", read(t, server, 1))
	return client, server
}

func read(t testing.TB, c net.Conn, n int) string {
	t.Helper()
	b := make([]byte, n)
	_, err := io.ReadFull(c, b)
	require.NoError(t, err)
	return string(b)
}

func write(t testing.TB, c net.Conn, text string) {
	t.Helper()
	_, err := c.Write([]byte(text))
	require.NoError(t, err)
}

func rest(t testing.TB, c net.Conn) string {
	t.Helper()
	b, err := io.ReadAll(c)
	require.NoError(t, err)
	return string(b)
}

var answerSoon = relay.Limits{Connect: patience, Answer: patience}

func TestAnswerIsReadInPiecesAndMayBeChanged(t *testing.T) {
	addr, accept := listen(t)
	w := reader(addr)
	client, server := ask(t, w, answerSoon, accept)
	write(t, server, "y")
	write(t, server, "es")
	require.Equal(t, "YES", read(t, client, 3))
	write(t, client, "one")
	require.Equal(t, "one", read(t, server, 3))
	write(t, server, "two")
	require.Equal(t, "two", read(t, client, 3))
	require.NoError(t, client.CloseWrite())
	require.Equal(t, "client gone", rest(t, server), "it has not said bye")
	require.NoError(t, server.Close())
	require.NoError(t, client.Close())
	res := w.wait(t)
	require.Equal(t, relay.ClientClosed, res.End)
	require.Equal(t, [2]string{relay.Client: "one", relay.Server: "two"}, w.shown)
	require.Equal(t, int64(len("?one")), res.In, "last words do not count")
	require.Equal(t, int64(len("YEStwo")), res.Out)
}

func TestAnotherServerIsAskedTheSame(t *testing.T) {
	for _, tt := range []struct {
		name string
		act  func(t *testing.T, server *net.TCPConn)
		err  error
	}{
		{"after a no", func(t *testing.T, s *net.TCPConn) { write(t, s, "no") }, nil},
		{"after it hung up", func(t *testing.T, s *net.TCPConn) { require.NoError(t, s.Close()) }, relay.ErrHungUp},
		{"after a reset", func(t *testing.T, s *net.TCPConn) {
			require.NoError(t, s.SetLinger(0))
			require.NoError(t, s.Close())
		}, relay.ErrHungUp},
		{"after half an answer", func(t *testing.T, s *net.TCPConn) {
			write(t, s, "ye")
			require.NoError(t, s.Close())
		}, relay.ErrHungUp},
	} {
		t.Run(tt.name, func(t *testing.T) {
			first, acceptFirst := listen(t)
			second, acceptSecond := listen(t)
			w := reader(first, second)
			client, server := ask(t, w, answerSoon, acceptFirst)
			tt.act(t, server)
			other := acceptSecond()
			require.Equal(t, "?", read(t, other, 1))
			write(t, other, "yes")
			require.Equal(t, "YES", read(t, client, 3))
			if tt.err != nil {
				require.ErrorIs(t, w.missing()[0], tt.err)
			}
		})
	}
}

func TestSilentServerIsGivenUpWithAWord(t *testing.T) {
	first, acceptFirst := listen(t)
	second, acceptSecond := listen(t)
	w := reader(first, second)
	w.waits = []time.Duration{30 * time.Millisecond, 0, patience}
	limits := relay.Limits{Connect: patience, Answer: 30 * time.Millisecond}
	client, server := ask(t, w, limits, acceptFirst)
	require.Equal(t, "leave", rest(t, server))
	other := acceptSecond()
	require.Equal(t, "?", read(t, other, 1))
	write(t, other, "yes")
	require.Equal(t, "YES", read(t, client, 3))
	require.Equal(t, []error{relay.ErrAnswerTimeout, relay.ErrAnswerTimeout}, w.missing()[:2], "it was given more time once")
}

func TestRefusedAfterAnAnswer(t *testing.T) {
	addr, accept := listen(t)
	w := reader(addr)
	client, server := ask(t, w, answerSoon, accept)
	write(t, server, "bad")
	require.Equal(t, "sorry", rest(t, client))
	_ = rest(t, server)
	require.NoError(t, client.Close())
	require.Equal(t, relay.Refused, w.wait(t).End)
}

func TestClientThatDoesNotWait(t *testing.T) {
	for name, act := range map[string]func(*testing.T, *net.TCPConn) string{
		"speaks": func(t *testing.T, c *net.TCPConn) string { write(t, c, "hurry"); return "hurry" },
		"leaves": func(t *testing.T, c *net.TCPConn) string { require.NoError(t, c.CloseWrite()); return "" },
	} {
		t.Run(name, func(t *testing.T) {
			addr, accept := listen(t)
			w := reader(addr)
			client, server := ask(t, w, answerSoon, accept)
			said := act(t, client)
			require.Equal(t, "client gone", rest(t, server))
			require.NoError(t, server.Close())
			require.Equal(t, relay.ClientClosed, w.wait(t).End)
			require.Equal(t, []string{said}, w.early)
		})
	}
}

func TestServerThatGoes(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		act        func(*testing.T, *net.TCPConn)
		end        relay.End
	}{
		{"without a word", "half server gone", func(t *testing.T, s *net.TCPConn) {
			write(t, s, "half ")
			require.NoError(t, s.Close())
		}, relay.ServerClosed},
		{"by a reset", "server gone", func(t *testing.T, s *net.TCPConn) {
			require.NoError(t, s.SetLinger(0))
			require.NoError(t, s.Close())
		}, relay.ServerReset},
	} {
		t.Run(tt.name, func(t *testing.T) {
			addr, accept := listen(t)
			w := reader(addr)
			client, server := ask(t, w, answerSoon, accept)
			write(t, server, "yes")
			require.Equal(t, "YES", read(t, client, 3))
			tt.act(t, server)
			require.Equal(t, tt.want, rest(t, client))
			require.NoError(t, client.Close())
			require.Equal(t, tt.end, w.wait(t).End)
		})
	}
}

// A client that is in the midst of sending hears the last words all the same:
// what it sends is read away, so that no reset overtakes them.
func TestLastWordsReachABusyClient(t *testing.T) {
	addr, accept := listen(t)
	w := reader(addr)
	client, server := ask(t, w, answerSoon, accept)
	write(t, server, "yes")
	require.Equal(t, "YES", read(t, client, 3))
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		big := make([]byte, 1<<20)
		for range 16 {
			if _, err := client.Write(big); err != nil {
				return
			}
		}
	}()
	_ = read(t, server, 1<<20)
	require.NoError(t, server.SetLinger(0))
	require.NoError(t, server.Close())
	require.Equal(t, "server gone", rest(t, client))
	<-sent
	require.NoError(t, client.Close())
	require.Equal(t, relay.ServerReset, w.wait(t).End)
}

func TestEndIsPassedOnWhereTheReaderAgrees(t *testing.T) {
	addr, accept := listen(t)
	w := reader(addr)
	client, server := ask(t, w, answerSoon, accept)
	write(t, server, "yes")
	require.Equal(t, "YES", read(t, client, 3))
	write(t, client, "bye")
	require.NoError(t, client.CloseWrite())
	require.Equal(t, "bye", rest(t, server))
	write(t, server, "bye")
	require.NoError(t, server.Close())
	require.Equal(t, "bye", rest(t, client))
	require.Equal(t, relay.Closed, w.wait(t).End)
}

func TestExpire(t *testing.T) {
	addr, accept := listen(t)
	w := reader(addr)
	client, server := ask(t, w, relay.Limits{Connect: patience, Answer: patience, ClientIdle: time.Hour}, accept)
	write(t, server, "yes")
	require.Equal(t, "YES", read(t, client, 3))
	write(t, server, "released")
	require.Equal(t, "releasedserver gone", rest(t, client), "nobody closed, so the relay did")
	require.Equal(t, "client gone", rest(t, server))
	require.NoError(t, client.Close())
	require.NoError(t, server.Close())
	require.Equal(t, relay.Closed, w.wait(t).End)
}

// Bulk of the client passes unseen, but counted; small pieces behind it are seen
// again, and so is all that the server sends, however much.
func TestWhatIsShown(t *testing.T) {
	const bulk = 32 << 20
	addr, accept := listen(t)
	w := reader(addr)
	client, server := ask(t, w, answerSoon, accept)
	write(t, server, "yes")
	require.Equal(t, "YES", read(t, client, 3))
	go func() { _, _ = client.Write(make([]byte, bulk)) }()
	_ = read(t, server, bulk)
	write(t, client, "small")
	require.Equal(t, "small", read(t, server, 5))
	go func() { _, _ = server.Write(make([]byte, bulk)) }()
	_ = read(t, client, bulk)
	require.NoError(t, client.SetLinger(0))
	require.NoError(t, client.Close())
	require.Equal(t, "client gone", rest(t, server))
	require.NoError(t, server.Close())
	require.Equal(t, relay.ClientReset, w.wait(t).End)
	require.Positive(t, w.skipped[relay.Client])
	require.Equal(t, bulk+5, w.skipped[relay.Client]+len(w.shown[relay.Client]))
	require.Equal(t, "small", w.shown[relay.Client][len(w.shown[relay.Client])-5:])
	require.Zero(t, w.skipped[relay.Server])
	require.Len(t, w.shown[relay.Server], bulk)
}

func TestParkedUntilWoken(t *testing.T) {
	addr, accept := listen(t)
	w := reader(addr)
	w.parked = make(chan struct{})
	w.onBegin = func(f *relay.Flow) { f.Park(time.Hour); close(w.parked) }
	r := newRelay(t, relay.Options{})
	client := adopt(t, r, w, answerSoon, "?")
	<-w.parked
	flow, _ := w.plain.seen()
	flow.Wake() // for nothing: it parks again
	w.log.Lock()
	w.open = true
	w.log.Unlock()
	flow.Wake()
	server := accept()
	require.Equal(t, "?", read(t, server, 1))
	write(t, server, "yes")
	require.Equal(t, "YES", read(t, client, 3))
	flow.Wake() // means nothing to a flow that is not parked
}

func TestParkedClientThatLeaves(t *testing.T) {
	w := reader()
	w.onBegin = func(f *relay.Flow) { f.Park(time.Hour) }
	client := adopt(t, newRelay(t, relay.Options{}), w, answerSoon, "?")
	require.NoError(t, client.Close())
	require.Equal(t, relay.ClientClosed, w.wait(t).End)
}

// The relay's own end says the last words too, without waiting for anybody.
func TestCloseSaysLastWords(t *testing.T) {
	addr, accept := listen(t)
	w := reader(addr)
	r, err := relay.New(relay.Options{})
	require.NoError(t, err)
	client := adopt(t, r, w, answerSoon, "?")
	server := accept()
	write(t, server, "yes")
	require.Equal(t, "YES", read(t, client, 3))
	r.Close()
	require.Equal(t, "server gone", rest(t, client))
	require.Equal(t, "?client gone", rest(t, server))
	require.Equal(t, relay.Stopped, w.wait(t).End)
}

// Who does not read what the other side sends is known.
func TestStalled(t *testing.T) {
	addr, accept := listen(t)
	w := reader(addr)
	client, server := ask(t, w, answerSoon, accept)
	write(t, server, "yes")
	require.Equal(t, "YES", read(t, client, 3))
	flow, _ := w.plain.seen()
	require.False(t, flow.Stalled(relay.Client))
	const much = 32 << 20 // more than the sockets on the way hold
	sent := make(chan error, 1)
	go func() { _, err := server.Write(make([]byte, much)); sent <- err }()
	require.Eventually(t, func() bool { return flow.Stalled(relay.Client) }, patience, time.Millisecond)
	require.False(t, flow.Stalled(relay.Server))
	_ = read(t, client, much)
	require.NoError(t, <-sent)
	require.Eventually(t, func() bool { return !flow.Stalled(relay.Client) }, patience, time.Millisecond)
}
