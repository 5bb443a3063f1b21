package negotiate

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// slow enters the stages and answers after the given times.
type slow struct{ open, ask, close time.Duration }

func (s slow) Negotiate(ctx context.Context, _ net.Conn) error {
	for _, st := range []struct {
		stage Stage
		takes time.Duration
	}{{StageOpen, s.open}, {StageAsk, s.ask}, {StageClose, s.close}} {
		if st.takes == 0 {
			continue // not every kind has every stage
		}
		Enter(ctx, st.stage)
		time.Sleep(st.takes)
	}
	return nil
}

func TestMaxLatency(t *testing.T) {
	tests := []struct {
		name   string
		takes  slow
		limit  time.Duration
		want   string // "" = not degraded
		slowIn Stage
	}{
		{"no limit", slow{open: time.Minute}, 0, "", ""},
		{"as long as it may", slow{open: time.Second, ask: time.Second}, 2 * time.Second, "", ""},
		{"too long in all", slow{open: time.Second, ask: 1500 * time.Millisecond}, 2 * time.Second,
			"answers correctly, but slowly: 2.5 s where max_latency is 2 s", StageAsk},
		{"the association took the time", slow{open: 3 * time.Second, ask: 10 * time.Millisecond}, 2 * time.Second,
			"answers correctly, but slowly: 3 s where max_latency is 2 s", StageOpen},
		{"the last stage, with nothing after it", slow{ask: 3 * time.Second}, 2 * time.Second,
			"answers correctly, but slowly: 3 s where max_latency is 2 s", StageAsk},
		{"the farewell does not count", slow{ask: time.Second, close: time.Minute}, 2 * time.Second, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := Run(t.Context(), Check{Address: at("10.0.0.1:104"), Dial: piped(silent), Prober: tt.takes,
					Timeout: time.Hour, MaxLatency: tt.limit})
				require.True(t, r.OK())
				if tt.want == "" {
					require.Equal(t, Passed, r.Outcome())
					require.Nil(t, r.Words())
					return
				}
				require.Equal(t, Partly, r.Outcome())
				require.Equal(t, tt.want, r.Words().Sentence)
				require.Equal(t, tt.slowIn, r.Degraded.Stage)
				require.Equal(t, ReasonSlow, r.Degraded.Reason)
			})
		})
	}
}

func TestDegrade(t *testing.T) {
	first, second := &Fault{Sentence: "first"}, &Fault{Sentence: "second"}
	probe := func(end error) Prober {
		return proberFunc(func(ctx context.Context, _ net.Conn) error {
			Degrade(ctx, first)
			Degrade(ctx, second)
			Warn(ctx, second)
			return end
		})
	}
	c := Check{Address: at("10.0.0.1:104"), Dial: piped(silent)}
	c.Prober = probe(nil)
	r := Run(t.Context(), c)
	require.Equal(t, Partly, r.Outcome())
	require.Same(t, first, r.Words(), "the first reason is kept, and goes before a warning")

	c.Prober = probe(errors.New("broke"))
	r = Run(t.Context(), c)
	require.Equal(t, Failed, r.Outcome())
	require.Nil(t, r.Degraded, "a check that failed is not degraded as well")

	Degrade(context.Background(), first) // without a check: nothing happens
}

// alone counts its calls and wants no connection.
type alone struct{ conns []net.Conn }

func (*alone) Standalone() {}
func (a *alone) Negotiate(ctx context.Context, conn net.Conn) error {
	a.conns = append(a.conns, conn)
	return nil
}

func TestStandalone(t *testing.T) {
	a := &alone{}
	r := Run(t.Context(), Check{Prober: a}) // no address, no dialler
	require.True(t, r.OK())
	require.Equal(t, []net.Conn{nil}, a.conns)
	require.Len(t, r.Stages, 1)
	require.Equal(t, StageAsk, r.Stages[0].Stage)
}
