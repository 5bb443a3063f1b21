package balancing

import (
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestServerStates(t *testing.T) {
	tests := []struct {
		health Health
		admin  Admin
		state  string
		usable bool
	}{
		{Checking, Ready, "checking", true},
		{Up, Ready, "up", true},
		{Down, Ready, "down", false},
		{Checking, Drain, "drain", false},
		{Up, Drain, "drain", false},
		{Down, Drain, "drain", false},
		{Checking, Maint, "maint", false},
		{Up, Maint, "maint", false},
		{Down, Maint, "maint", false},
	}
	for _, tt := range tests {
		t.Run(tt.health.String()+" "+tt.admin.String(), func(t *testing.T) {
			s := NewServer(ServerOptions{Name: "A"})
			require.Equal(t, Checking, s.SetHealth(tt.health, t0), "health before")
			require.Equal(t, Ready, s.SetAdmin(tt.admin), "admin before")
			require.Equal(t, tt.health, s.Health())
			require.Equal(t, tt.admin, s.Admin())
			require.Equal(t, tt.state, s.State())
			require.Equal(t, tt.usable, s.Usable())
		})
	}
}

func TestServerSettings(t *testing.T) {
	s := NewServer(ServerOptions{Name: "DICOM1", Address: "10.12.1.110"})
	require.Equal(t, "DICOM1", s.Name())
	require.Equal(t, "10.12.1.110", s.Address())
	require.Equal(t, DefaultWeight, s.Weight(), "weight absent")
	require.Zero(t, s.MaxConnections())
	require.Zero(t, s.SlowStart())
	require.NotZero(t, s.ID())
	require.NotEqual(t, s.ID(), NewServer(ServerOptions{Name: "DICOM1"}).ID(), "same name, another server")

	for set, want := range map[int]int{-1: 1, 0: 1, 1: 1, 50: 50, 256: 256, 257: 256} {
		s.SetWeight(set)
		require.Equal(t, want, s.Weight(), "SetWeight(%d)", set)
	}
	s.SetMaxConnections(-5)
	require.Zero(t, s.MaxConnections())
	s.SetSlowStart(-time.Second)
	require.Zero(t, s.SlowStart())
}

// step is a judgement some time after t0.
type step struct {
	after  time.Duration
	health Health
}

func TestSlowStart(t *testing.T) {
	const ramp = 30 * time.Second
	recovery := []step{{0, Up}, {10 * time.Second, Down}, {100 * time.Second, Up}}
	tests := []struct {
		name  string
		steps []step
		at    time.Duration
		want  float64
	}{
		{"not judged", nil, 0, 100},
		{"first judgement up", []step{{0, Up}}, 0, 100},
		{"first judgement down, then up, is a recovery", []step{{0, Down}, {time.Second, Up}}, time.Second, 10},
		{"at the recovery", recovery, 100 * time.Second, 10},
		{"clock of another core slightly behind", recovery, 100*time.Second - time.Millisecond, 10},
		{"a third", recovery, 110 * time.Second, 40},
		{"half", recovery, 115 * time.Second, 55},
		{"two thirds", recovery, 120 * time.Second, 70},
		{"the end", recovery, 130 * time.Second, 100},
		{"long after", recovery, time.Hour, 100},
		{"up again while up does not restart", append(recovery[:3:3], step{115 * time.Second, Up}), 115 * time.Second, 55},
		{"down ends it", append(recovery[:3:3], step{105 * time.Second, Down}), 105 * time.Second, 100},
		{"second recovery starts anew", append(recovery[:3:3], step{105 * time.Second, Down}, step{200 * time.Second, Up}), 200 * time.Second, 10},
		{"down, unchecked, up is a recovery", []step{{0, Down}, {1, Checking}, {2, Up}}, 2, 10},
		{"up, unchecked, up is none", []step{{0, Up}, {1, Checking}, {2, Up}}, 2, 100},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := NewServer(ServerOptions{Name: "A", Weight: 100, SlowStart: ramp})
			for _, st := range tt.steps {
				s.SetHealth(st.health, t0.Add(st.after))
			}
			require.InDelta(t, tt.want, s.EffectiveWeight(t0.Add(tt.at)), 0.001)
		})
	}
}

func TestSlowStartChanges(t *testing.T) {
	s := NewServer(ServerOptions{Name: "A", Weight: 200})
	s.SetHealth(Down, t0)
	s.SetHealth(Up, t0)
	require.Equal(t, 200.0, s.EffectiveWeight(t0), "slow start is off")
	s.SetSlowStart(time.Minute)
	require.Equal(t, 110.0, s.EffectiveWeight(t0.Add(30*time.Second)), "a reload turned it on")
	s.SetWeight(1)
	require.Equal(t, 0.1, s.EffectiveWeight(t0), "the smallest weight still ramps")
}

func TestServerLimit(t *testing.T) {
	s := NewServer(ServerOptions{Name: "A", MaxConnections: 2})
	require.True(t, s.TryAcquire())
	require.True(t, s.TryAcquire())
	require.False(t, s.TryAcquire(), "third of two")
	s.SetMaxConnections(1)
	s.Release()
	require.False(t, s.TryAcquire(), "a lowered limit counts those who run")
	s.SetMaxConnections(0)
	require.True(t, s.TryAcquire(), "no limit")
	require.EqualValues(t, 2, s.Active())
	require.EqualValues(t, 3, s.Total())
	s.Release()
	s.Release()
	require.PanicsWithValue(t, "balancing: Release without a session on server A", s.Release)
}

func TestServerCounters(t *testing.T) {
	s := NewServer(ServerOptions{Name: "A"})
	s.AddBytes(10, 3)
	s.AddBytes(5, 0)
	require.EqualValues(t, 15, s.BytesIn())
	require.EqualValues(t, 3, s.BytesOut())

	s.AddFailure(Refused)
	s.AddFailure(Refused)
	s.AddFailure(Failure(99))
	got := map[string]int64{}
	for _, f := range Failures() {
		got[f.String()] = s.Failures(f)
	}
	require.Equal(t, map[string]int64{"refused": 2, "timeout": 0, "unreachable": 0, "reset": 0, "local": 0, "other": 1}, got)
}

func TestWords(t *testing.T) {
	for _, word := range []string{"ready", "drain", "maint"} {
		a, err := ParseAdmin(word)
		require.NoError(t, err)
		require.Equal(t, word, a.String())
	}
	for _, word := range []string{"least-connections", "round-robin", "random-two", "source-hash"} {
		a, err := ParseAlgorithm(word)
		require.NoError(t, err)
		require.Equal(t, word, a.String())
	}
	for _, word := range []string{"balance", "failover"} {
		d, err := ParseDistribution(word)
		require.NoError(t, err)
		require.Equal(t, word, d.String())
	}
	_, err := ParseAdmin("up")
	require.EqualError(t, err, `unknown administrative state "up"; use ready, drain or maint`)
	_, err = ParseAlgorithm("leastconn")
	require.EqualError(t, err, `unknown algorithm "leastconn"; use least-connections, round-robin, random-two or source-hash`)
	_, err = ParseDistribution("")
	require.EqualError(t, err, `unknown distribution ""; use balance or failover`)
	require.Equal(t, "health(9) admin(9) failure(9) algorithm(9) distribution(9)", Health(9).String()+" "+
		Admin(9).String()+" "+Failure(9).String()+" "+Algorithm(9).String()+" "+Distribution(9).String())
}

func TestAddrKey(t *testing.T) {
	v4 := AddrKey(netip.MustParseAddr("10.12.1.50"))
	require.Equal(t, Key{10: 0xff, 11: 0xff, 12: 10, 13: 12, 14: 1, 15: 50}, v4)
	require.Equal(t, v4, AddrKey(netip.MustParseAddr("::ffff:10.12.1.50")), "the same client on a dual-stack listener")
	require.Equal(t, AddrKey(netip.MustParseAddr("fe80::1")), AddrKey(netip.MustParseAddr("fe80::1%eth0")))
	require.NotEqual(t, v4, AddrKey(netip.MustParseAddr("10.12.1.51")))
	require.Zero(t, AddrKey(netip.Addr{}))
}

// TestServerTogether changes health and admin from two sides at once: neither
// may undo the other, since both live in one word.
func TestServerTogether(t *testing.T) {
	s := NewServer(ServerOptions{Name: "A"})
	var wg sync.WaitGroup
	for _, set := range []func(i int){
		func(i int) { s.SetHealth([]Health{Down, Up}[i%2], t0) },
		func(i int) { s.SetAdmin([]Admin{Drain, Ready}[i%2]) },
		func(int) { s.EffectiveWeight(t0) },
	} {
		wg.Go(func() {
			for i := range 2000 {
				set(i)
			}
		})
	}
	wg.Wait()
	require.Equal(t, "up", s.State())
	require.Equal(t, Ready, s.Admin())
}

func TestNameKey(t *testing.T) {
	require.Equal(t, Key{}, NameKey(""), "not known: not remembered")
	require.Equal(t, NameKey("CT1"), NameKey("CT1"))
	require.NotEqual(t, NameKey("CT1"), NameKey("CT2"))
}

func TestKeyInPart(t *testing.T) {
	k := AddrKey(netip.MustParseAddr("10.12.1.50"))
	require.Equal(t, k, k.In(""), "the service as a whole")
	require.NotEqual(t, k, k.In("DICOM1"))
	require.NotEqual(t, k.In("DICOM1"), k.In("DICOM2"))
	require.NotEqual(t, k.In("DICOM1"), AddrKey(netip.MustParseAddr("10.12.1.51")).In("DICOM1"))
	require.Equal(t, Key{}, Key{}.In("DICOM1"), "not known in no part either")
}
