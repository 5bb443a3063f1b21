package relay_test

import (
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gantry/gateway/relay"
)

// stall fills everything on the way from one end to the other that does not
// read, and returns once bytes are held in the relay.
func stall(t testing.TB, from interface {
	io.Writer
	SetWriteDeadline(time.Time) error
}) (sent int) {
	t.Helper()
	require.NoError(t, from.SetWriteDeadline(time.Now().Add(300*time.Millisecond)))
	sent, err := from.Write(make([]byte, 64<<20))
	require.ErrorContains(t, err, "timeout")
	return sent
}

// A server killed in the middle of an upload must not look like one that
// finished its answer.
func TestServerResetDuringAnUploadIsAReset(t *testing.T) {
	r := newRelay(t, relay.Options{Loops: 1})
	client, server, h := pair(t, r, relay.Limits{})
	_, err := server.Write([]byte("partial answer"))
	require.NoError(t, err)
	stall(t, client)
	require.NoError(t, server.SetLinger(0))
	require.NoError(t, server.Close())
	require.Equal(t, relay.ServerReset, h.wait(t).End)
	_, err = io.ReadAll(client)
	require.True(t, isReset(err), "got %v", err)
}

func TestIdleEndBeforeEverythingWasDeliveredIsAReset(t *testing.T) {
	r := newRelay(t, relay.Options{})
	client, server, h := pair(t, r, relay.Limits{ClientIdle: 600 * time.Millisecond})
	sent := stall(t, server)
	require.Equal(t, relay.ClientIdle, h.wait(t).End)
	got, err := io.Copy(io.Discard, client)
	require.Less(t, got, int64(sent))
	require.True(t, isReset(err), "got %v", err)
}

func TestLingerIsNotCutByTheDialsDeadline(t *testing.T) {
	r := newRelay(t, relay.Options{})
	h := handler(unused(t))
	h.answer = []byte("no")
	adopt(t, r, h, relay.Limits{Connect: 100 * time.Millisecond}, "")
	require.GreaterOrEqual(t, h.wait(t).Took, relay.PartLinger)
}

// An idle flow holds nothing of what was said before.
func TestFirstIsLetGo(t *testing.T) {
	const flows, size = 20, 1 << 20
	r := newRelay(t, relay.Options{})
	before := heap()
	for range flows {
		addr, accept := listen(t)
		adopt(t, r, handler(addr), relay.Limits{}, string(make([]byte, size)))
		_, err := io.ReadFull(accept(), make([]byte, size))
		require.NoError(t, err)
	}
	require.Less(t, int64(heap())-int64(before), int64(flows*size/4))
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A read stops short at an urgent byte; what is behind it must not wait.
func TestUrgentByteStallsNothing(t *testing.T) {
	r := newRelay(t, relay.Options{})
	for range 5 {
		addr, accept := listen(t)
		gate := make(chan struct{})
		h := handler()
		h.onBegin = func(f *relay.Flow) { <-gate; f.Dial(addr) }
		client := adopt(t, r, h, relay.Limits{}, "")
		raw, err := client.SyscallConn()
		require.NoError(t, err)
		_, err = client.Write([]byte("before"))
		require.NoError(t, err)
		require.NoError(t, raw.Control(func(fd uintptr) { err = unix.Sendto(int(fd), []byte("!"), unix.MSG_OOB, nil) }))
		require.NoError(t, err)
		_, err = client.Write([]byte("after"))
		require.NoError(t, err)
		close(gate)
		got := make([]byte, 11)
		_, err = io.ReadFull(accept(), got)
		require.NoError(t, err)
		require.Equal(t, "beforeafter", string(got))
	}
}
