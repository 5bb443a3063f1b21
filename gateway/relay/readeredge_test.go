package relay_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/gateway/relay"
)

// chooser is a witness that decides anew when a dial has ended.
type chooser struct {
	*witness
	dialed func(f *relay.Flow, err error)
	words  []byte // for both sides
}

func (c *chooser) Dialed(f *relay.Flow, a netip.AddrPort, took time.Duration, err error) {
	c.plain.mu.Lock()
	c.plain.dials = append(c.plain.dials, err)
	c.plain.mu.Unlock()
	c.dialed(f, err)
}

func (c *chooser) LastWords(*relay.Flow, relay.End) (toClient, toServer []byte) {
	return c.words, c.words
}

// A Handler may think better of a server that has just been connected: then the
// other one is dialled like any, and its outcome told.
func TestAnotherServerIsDialledOnceConnected(t *testing.T) {
	first, acceptFirst := listen(t)
	second, acceptSecond := listen(t)
	w := &chooser{witness: reader(first, second)}
	turns := 0
	w.dialed = func(f *relay.Flow, _ error) {
		if turns++; turns == 1 {
			w.next(f)
		}
	}
	client := adopt(t, newRelay(t, relay.Options{}), w, answerSoon, "?")
	require.Empty(t, rest(t, acceptFirst()), "it was given up before it was asked")
	server := acceptSecond()
	require.Equal(t, "?", read(t, server, 1))
	write(t, server, "yes")
	require.Equal(t, "YES", read(t, client, 3))
	_, dials := w.plain.seen()
	require.Equal(t, []error{nil, nil}, dials)
}

// A client that left while a server was dialled waits for nothing any more.
func TestParkedClientThatHadLeftBefore(t *testing.T) {
	w := &chooser{witness: reader()}
	w.dialed = func(f *relay.Flow, err error) { f.Park(time.Hour) }
	nobody, left := unused(t), make(chan struct{})
	w.onBegin = func(f *relay.Flow) { <-left; f.Dial(nobody) }
	client := adopt(t, newRelay(t, relay.Options{}), w, answerSoon, "?")
	require.NoError(t, client.CloseWrite())
	close(left)
	require.Equal(t, relay.ClientClosed, w.wait(t).End)
	require.Equal(t, []string{""}, w.early)
}

// Nor is a server troubled with the question of a client that is gone.
func TestServerIsNotAskedForAClientThatLeft(t *testing.T) {
	addr, accept := listen(t)
	w, left := reader(addr), make(chan struct{})
	w.onBegin = func(f *relay.Flow) { <-left; w.next(f) }
	client := adopt(t, newRelay(t, relay.Options{}), w, answerSoon, "?")
	require.NoError(t, client.CloseWrite())
	close(left)
	require.Empty(t, rest(t, accept()))
	require.Equal(t, relay.ClientClosed, w.wait(t).End)
}

// long is a question that no pair of sockets takes without being read.
var long = strings.Repeat("?", 32<<20)

// A server that is given more time still gets all of the question, and no word in
// the midst of it.
func TestMoreTimeForAServerThatIsSlowToTakeTheQuestion(t *testing.T) {
	addr, accept := listen(t)
	w := reader(addr)
	w.waits = []time.Duration{time.Hour}
	client := adopt(t, newRelay(t, relay.Options{}), w, relay.Limits{Connect: patience, Answer: 30 * time.Millisecond}, long)
	server := accept()
	require.Eventually(t, func() bool { return len(w.missing()) == 1 }, patience, time.Millisecond)
	require.Equal(t, len(long), strings.Count(read(t, server, len(long)), "?"))
	write(t, server, "yes")
	require.Equal(t, "YES", read(t, client, 3))
}

// A server may answer before it has read the whole question, and hang up.
func TestAnswerBeforeTheQuestionIsTaken(t *testing.T) {
	addr, accept := listen(t)
	w := reader(addr)
	client := adopt(t, newRelay(t, relay.Options{}), w, answerSoon, long)
	server := accept()
	_ = read(t, server, 1)
	write(t, server, "bad")
	require.NoError(t, server.Close()) // a reset: it has not read all
	require.Equal(t, "sorry", rest(t, client))
	require.NoError(t, client.Close())
	require.Equal(t, relay.Refused, w.wait(t).End)
}

// Abort of a flow that asks takes the server away, not the client.
func TestAbortWhileAskingGoesToAnotherServer(t *testing.T) {
	first, acceptFirst := listen(t)
	second, acceptSecond := listen(t)
	w := reader(first, second)
	client, server := ask(t, w, answerSoon, acceptFirst)
	flow, _ := w.plain.seen()
	flow.Abort("maintenance")
	require.Equal(t, "leave", rest(t, server))
	other := acceptSecond()
	require.Equal(t, "?", read(t, other, 1))
	write(t, other, "yes")
	require.Equal(t, "YES", read(t, client, 3))
	require.Equal(t, []error{relay.ErrWithdrawn}, w.missing())
}

// No limit is none: neither for the dial nor for the answer.
func TestNoLimitForTheAnswer(t *testing.T) {
	addr, accept := listen(t)
	w := reader(addr)
	w.onBegin = func(f *relay.Flow) { f.Park(10 * time.Millisecond) } // leaves a timer behind
	w.open = true
	r := newRelay(t, relay.Options{})
	client := adopt(t, r, w, relay.Limits{}, "?")
	server := accept()
	require.Equal(t, "?", read(t, server, 1))
	require.NoError(t, server.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	_, err := server.Read(make([]byte, 1))
	require.ErrorContains(t, err, "timeout")
	write(t, server, "yes")
	require.Equal(t, "YES", read(t, client, 3))
	require.Empty(t, w.missing())
}

// Nothing to say is no reason to panic when the relay is closed.
func TestCloseWithNothingToSay(t *testing.T) {
	addr, accept := listen(t)
	w := &chooser{witness: reader(addr), words: []byte{}}
	w.dialed = func(*relay.Flow, error) {}
	panics := make(chan any, 1)
	r, err := relay.New(relay.Options{OnPanic: func(v any, _ []byte) { panics <- v }})
	require.NoError(t, err)
	client := adopt(t, r, w, answerSoon, "?")
	server := accept()
	write(t, server, "yes")
	require.Equal(t, "YES", read(t, client, 3))
	r.Close()
	require.Empty(t, panics)
	require.Equal(t, relay.Stopped, w.wait(t).End)
}
