package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
	"gantry/fixtures/modality"
	"gantry/protocols/dicom"
)

const (
	stormAssociations = 300
	stormAtOnce       = 20
	stormObjects      = 2 // of each association
	stormObject       = 64 << 10
)

// storm is many modalities that send through the gateway while things happen to
// the archives behind it.
type storm struct {
	addr string
	done atomic.Int64 // associations
	// dying, and then dead: an archive is being killed, has been killed.
	dying, dead atomic.Bool

	mu     sync.Mutex
	stored map[string]bool // SOP instance UIDs that were answered with success
	ends   map[string]int  // what became of the associations
	bad    []error         // what must not be
}

// association sends its objects and notes how it ended.
func (s *storm) association(ctx context.Context, n int) {
	defer s.done.Add(1)
	end, bad := s.send(ctx, n)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends[end]++
	if bad != nil {
		s.bad = append(s.bad, fmt.Errorf("association %d: %w", n, bad))
	}
}

func (s *storm) send(ctx context.Context, n int) (end string, bad error) {
	a, err := modality.Dial(ctx, modality.Options{
		Address: s.addr, CalledAE: "PACS", CallingAE: fmt.Sprintf("CT%d", n%7), Timeout: time.Minute,
	})
	if err != nil {
		return "not accepted", fmt.Errorf("a healthy archive could have taken it: %w", err)
	}
	defer a.Close()
	early := !s.dead.Load() // so that it may be the killed archive that has it
	study := modality.NewStudy()
	for range stormObjects {
		o := study.Object(stormObject)
		r, err := a.Store(ctx, o)
		var aborted *modality.Aborted
		switch {
		case errors.As(err, &aborted) && aborted.Abort == dicom.AbortProvider:
			return "aborted 2/0", nil
		case errors.Is(err, io.ErrUnexpectedEOF) && early && s.dying.Load():
			// DCMTK, and so Orthanc, writes the first 12 bytes of a response (the heads of PDU and PDV) by themselves.
			// Killed between that and the rest it leaves half a PDU, and nothing may be put into the midst of one: the
			// client gets the FIN that the gateway got, as gateway's TestLostPeers has it.
			return "cut off in a response", nil
		case err != nil:
			return "broken", fmt.Errorf("no A-ABORT of the gateway: %w", err)
		case r.Status != dicom.StatusSuccess:
			return "refused", fmt.Errorf("status %04X", r.Status)
		}
		s.mu.Lock()
		s.stored[o.UID] = true
		s.mu.Unlock()
	}
	if err := a.Release(ctx); err != nil {
		var aborted *modality.Aborted
		if errors.As(err, &aborted) {
			return "aborted 2/0", nil
		}
		return "broken", fmt.Errorf("release: %w", err)
	}
	return "released", nil
}

// stormPause is how long a step waits at most for the associations before it: all
// senders may be in associations with the archive that hangs.
const stormPause = 10 * time.Second

// reaches waits until that many associations have ended, or long enough.
func (s *storm) reaches(ctx context.Context, n int64) {
	ctx, cancel := context.WithTimeout(ctx, stormPause)
	defer cancel()
	_ = peers.Until(ctx, fmt.Sprintf("%d associations", n), func() error {
		if have := s.done.Load(); have < n {
			return fmt.Errorf("%d so far", have)
		}
		return nil
	})
}

// TestAssociationsInAStorm: one of two archives is killed, comes back, hangs, goes
// on, is drained and comes back, while 300 associations want to store. None fails
// that the other archive could have taken; those that were with the killed one
// hear an A-ABORT; what was acknowledged is there.
func TestAssociationsInAStorm(t *testing.T) {
	need(t, "Orthanc", "echoscu")
	ctx := within(t, 3*time.Minute)
	var nodes []*peers.Orthanc
	for _, name := range []string{"N1", "N2"} {
		o, err := peers.StartOrthanc(ctx, name, t.TempDir())
		require.NoError(t, err)
		t.Cleanup(func() { o.Stop() })
		nodes = append(nodes, o)
	}
	s := &storm{addr: peers.FreeAddr(), stored: map[string]bool{}, ends: map[string]int{}}
	g := gateway(t, raced(t), fmt.Sprintf(`log: {sessions: true}
services:
- name: PACS
  protocol: dicom
  listen: [%q]
  persistence: {by: none}
  slow_start: 0s
  dicom: {associate_timeout: 1s}
  checks: [{type: dicom-echo, interval: 1s, fast_interval: 500ms, timeout: 3s, rise: 1, fall: 2}]
  servers: [{name: N1, address: %q}, {name: N2, address: %q}]
`, s.addr, nodes[0].DICOM, nodes[1].DICOM))
	for _, name := range []string{"N1", "N2"} {
		require.NoError(t, g.AwaitState(ctx, "PACS", name, "up"))
	}

	next := make(chan int)
	var senders sync.WaitGroup
	for range stormAtOnce {
		senders.Go(func() {
			for n := range next {
				s.association(ctx, n)
			}
		})
	}
	go func() {
		defer close(next)
		for n := range stormAssociations {
			next <- n
		}
	}()

	steps := []struct {
		at int64
		do func() error
	}{
		{40, func() error {
			s.dying.Store(true)
			nodes[0].Kill()
			s.dead.Store(true)
			return nil
		}},
		{90, func() error {
			if err := nodes[0].Restart(ctx); err != nil {
				return err
			}
			return g.AwaitState(ctx, "PACS", "N1", "up")
		}},
		{130, func() error { return nodes[1].Freeze(ctx) }},
		{200, func() error { return nodes[1].Thaw() }},
		{210, func() error { return g.SetServer(ctx, "PACS", "N1", peers.ServerChange{Admin: "drain"}) }},
		{260, func() error { return g.SetServer(ctx, "PACS", "N1", peers.ServerChange{Admin: "ready"}) }},
	}
	for _, step := range steps {
		s.reaches(ctx, step.at)
		require.NoError(t, step.do())
	}
	senders.Wait()
	require.Empty(t, s.bad)
	t.Logf("%d associations: %v, %d objects acknowledged", stormAssociations, s.ends, len(s.stored))
	require.Positive(t, s.ends["aborted 2/0"], "nobody was with the archive that was killed: the test has missed its point")

	have := map[string]bool{}
	for _, o := range nodes {
		objects, err := o.Objects(ctx)
		require.NoError(t, err)
		maps.Copy(have, objects)
	}
	for uid := range s.stored {
		require.Contains(t, have, uid, "acknowledged, and not there")
	}
	t.Logf("%d objects are stored", len(have))
}
