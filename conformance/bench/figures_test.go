package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
)

func TestFigures(t *testing.T) {
	f := figures{}
	for _, v := range []float64{3, 1, 2, 10} {
		f.add(haproxy, map[string]float64{rowBulk1: v})
	}
	f.add(gantry, map[string]float64{rowBulk1: 5})
	require.Equal(t, "2.50 (1.00…10.0)", f.cell(rowBulk1, haproxy), "the median of an even number of rounds")
	require.Equal(t, "5.00", f.cell(rowBulk1, gantry))
	require.Equal(t, "–", f.cell(rowBulk1, nginx))
	require.Equal(t, "2.00", f.ratio(rowBulk1, gantry, haproxy))
	require.Empty(t, f.ratio(rowBulk1, gantry, nginx))
}

func TestTablesHaveTheRowsThatWereMeasured(t *testing.T) {
	b := &bench{figures: figures{}}
	b.figures.add(direct, map[string]float64{rowEcho: 3})
	b.figures.add(gantry, map[string]float64{rowEcho: 0.5})
	require.Equal(t, "| load | direct | Gantry |\n|---|---|---|\n| "+rowEcho+" | 3.00 | 0.50 |",
		b.table([]string{direct, gantry}))
	require.Contains(t, b.ratios(), "| "+rowEcho+" |  |  | 6.00 × faster | ≥ 30 × faster than direct |")
	require.NotContains(t, b.ratios(), rowStore)
}

// TestLoads runs each load for a moment without a middle: what is sent arrives and is counted.
func TestLoads(t *testing.T) {
	const each = 100 * time.Millisecond
	addr := peers.FreeAddr()
	go func() { _ = receive(addr) }() // ends with the process
	require.NoError(t, peers.Until(t.Context(), "the receiver answers", func() error {
		_, err := pingPong(addr, 1, time.Millisecond)
		return err
	}))
	sent, took, err := bulk(addr, 3, each)
	require.NoError(t, err)
	require.GreaterOrEqual(t, took, each)
	require.Positive(t, sent)
	rate, err := pingPong(addr, 8, each)
	require.NoError(t, err)
	require.Positive(t, rate)
	rate, err = connectRate(addr, 8, each, word(roleOnce)...)
	require.NoError(t, err)
	require.Positive(t, rate)
	release, err := holdIdle(addr, 300, word(roleEcho)...)
	require.NoError(t, err)
	release()
}

func TestNobodyThere(t *testing.T) {
	addr := peers.FreeAddr()
	_, _, err := bulk(addr, 1, time.Millisecond)
	require.Error(t, err)
	_, err = pingPong(addr, 1, time.Second)
	require.Error(t, err)
	_, err = connectRate("not an address", 1, time.Second, word(roleOnce)...)
	require.Error(t, err)
}

func TestFirstVersion(t *testing.T) {
	for text, want := range map[string]string{
		"HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/": "2.6.12-1+deb12u4",
		"nginx version: nginx/1.22.1":                                        "1.22.1",
		"$dcmtk: storescu v3.6.7 2022-04-22 $":                               "3.6.7",
		"Orthanc 1.10.1\nCopyright (C)":                                      "1.10.1",
		"":                                                                   "",
	} {
		require.Equal(t, want, firstVersion(text))
	}
}
