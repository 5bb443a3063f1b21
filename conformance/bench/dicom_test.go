package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
	"gantry/protocols/dicom"
)

func TestPercentile(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(100 - i) // 100 down to 1
	}
	for name, tt := range map[string]struct {
		samples []time.Duration
		p       float64
		want    time.Duration
	}{
		"median of a hundred": {hundred, 50, 50},
		"p99 of a hundred":    {hundred, 99, 99},
		"all of them":         {hundred, 100, 100},
		"none of them":        {hundred, 0, 1},
		"of one":              {[]time.Duration{7}, 99, 7},
		"of two":              {[]time.Duration{9, 3}, 50, 3},
		"rounded up":          {[]time.Duration{1, 2, 3}, 34, 2},
		"without samples":     {nil, 50, 0},
	} {
		require.Equal(t, tt.want, percentile(tt.samples, tt.p), name)
	}
}

func TestCut(t *testing.T) {
	for _, c := range []cut{{512 << 10, 16 << 10}, {64 << 20, 16 << 10}, {64 << 20, 128 << 10}} {
		require.LessOrEqual(t, len(c.title()), 16, "an AE title")
		back, ok := cutOf(c.title())
		require.True(t, ok)
		require.Equal(t, c, back)
	}
	for _, title := range []string{"", echoTitle, "0K-16K", "512K-0K", "512K"} {
		_, ok := cutOf(title)
		require.False(t, ok, title)
	}
}

// TestStore reads what is sent as a gateway would: one command, one object, no PDU longer than agreed.
func TestStore(t *testing.T) {
	for _, c := range []cut{{512 << 10, 16 << 10}, {1 << 20, 128 << 10}, {1 << 10, 16 << 10}} {
		message := c.store()
		head := commandPDU(storeContext, *c.command())
		require.Equal(t, head, message[:len(head)])
		require.Len(t, message, len(head)+c.dataLen(), "%v", c)
		seen := &seen{most: uint32(c.pdu)}
		var s dicom.Scanner
		s.Feed(message, seen)
		require.NoError(t, s.Err())
		require.False(t, seen.long, "%v", c)
		require.Equal(t, [3]int{1, c.object, 1}, [3]int{seen.commands, seen.bytes, seen.ends}, "%v", c)
	}
}

// seen counts what a Scanner finds.
type seen struct {
	most                  uint32
	commands, bytes, ends int
	long                  bool
}

func (s *seen) PDU(_ dicom.PDUType, length uint32) { s.long = s.long || length > s.most }
func (s *seen) Whole(dicom.PDUType, []byte)        {}
func (s *seen) Command(byte, *dicom.Command)       { s.commands++ }
func (s *seen) Data(_ byte, n int, last bool) {
	s.bytes += n
	if last {
		s.ends++
	}
}

func TestWorked(t *testing.T) {
	l := slicedLoad{rate: "rate", cost: "cost", unit: 1e-3}
	l.run = func(string, time.Duration) (float64, time.Duration, error) { return 100, time.Second, nil }
	var s worked
	require.Nil(t, s.figures(l, true), "nothing was done")
	s.add(running{}, l, 0)
	s.add(running{}, l, 0)
	s.cpu = 3 * time.Second
	require.Equal(t, map[string]float64{"rate": 100, "cost": 15}, s.figures(l, true))
	require.Equal(t, map[string]float64{"rate": 100}, s.figures(l, false))
	l.run = func(string, time.Duration) (float64, time.Duration, error) { return 0, 0, errIdle }
	s.add(running{}, l, 0)
	require.ErrorIs(t, s.err, errIdle)
	l.run = func(string, time.Duration) (float64, time.Duration, error) { panic("after an error nothing runs") }
	s.add(running{}, l, 0)
}

func TestDICOMTables(t *testing.T) {
	row := slicedLoads[1].rate
	require.Equal(t, "C-STORE, objects of 512 KiB in PDUs of 16 KiB (GB/s)", row)
	b := &bench{figures: figures{}}
	for name, v := range map[string]float64{haproxy: 0.5, gantry: 0.95, unread: 1} {
		b.figures.add(name, map[string]float64{row: v})
	}
	require.Contains(t, b.dicomTable(), "| "+row+" | – | 0.50 | – | – | 0.95 | 1.00 |")
	require.Contains(t, b.dicomRatios(), "| "+row+" | 1.90 |  |  | 0.95 | ≥ 0.9 × inspect: false |")
	require.NotContains(t, b.dicomTable(), rowHeld)
}

// archiveAt is an archive for one test; it ends with the process.
func archiveAt(t *testing.T) string {
	addr := peers.FreeAddr()
	go func() { _ = serveDICOM(addr) }()
	require.NoError(t, peers.Until(t.Context(), "the archive answers", func() error {
		r, err := newRequestor(addr, hello())
		if err != nil {
			return err
		}
		return r.release()
	}))
	return addr
}

// TestDICOMLoads runs each load for a moment without a middle.
func TestDICOMLoads(t *testing.T) {
	const each = 50 * time.Millisecond
	addr := archiveAt(t)
	for name, run := range map[string]func(string, int, cut, time.Duration) (uint64, time.Duration, error){
		"store": storeBulk, "get": getBulk,
	} {
		for _, c := range []cut{{512 << 10, 16 << 10}, {4 << 20, 128 << 10}, {1 << 10, 16 << 10}} {
			bytes, took, err := run(addr, 3, c, each)
			require.NoError(t, err, "%s of %v", name, c)
			require.GreaterOrEqual(t, took, each)
			require.Positive(t, bytes)
			require.Zero(t, bytes%uint64(c.object))
		}
	}
	rate, err := connectRate(addr, 8, each, hello(), echo(), goodbye())
	require.NoError(t, err)
	require.Positive(t, rate)
	release, err := holdIdle(addr, 300, hello(), echo())
	require.NoError(t, err)
	release()
	took, err := turns([]string{addr, addr}, each)
	require.NoError(t, err)
	require.Len(t, took, 2)
	require.NotEmpty(t, took[1])
}

func TestNoArchiveThere(t *testing.T) {
	addr := peers.FreeAddr()
	_, _, err := storeBulk(addr, 1, cut{512 << 10, 16 << 10}, time.Millisecond)
	require.Error(t, err)
	_, err = turns([]string{addr}, time.Millisecond)
	require.Error(t, err)
}

// TestAnotherAnswer: an answer that is not the archive's is an error and no figure.
func TestAnotherAnswer(t *testing.T) {
	addr := archiveAt(t)
	wrong := echo()
	wrong.want = append([]byte(nil), wrong.want...)
	wrong.want[len(wrong.want)-1]++
	_, err := connectRate(addr, 1, time.Second, hello(), wrong, goodbye())
	require.ErrorContains(t, err, "answer 2 is another")
	r, err := newRequestor(addr, hello())
	require.NoError(t, err)
	defer r.close()
	require.ErrorContains(t, r.exchange(wrong), "another answer")
}
