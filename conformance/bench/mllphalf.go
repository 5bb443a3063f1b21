package main

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Rows about half of the load: at its top rate everything waits for a processor, and a hospital does not run there.
const (
	rowHalf     = "64 clients, 1 KB, at half of what the contender carries (messages per second)"
	rowHalf50   = "the same, p50 (ms)"
	rowHalf99   = "the same, p99 (ms)"
	rowHalfBase = "direct at that rate, p99 (ms)"
	rowHalfAdd  = "p99 added to direct at that rate (ms)"
)

// halfRows have no ratios: each contender has a rate of its own, and what is added may be 0.
var halfRows = []string{rowHalf, rowHalf50, rowHalf99, rowHalfBase, rowHalfAdd}

// halfLoads sends through each middle at half of the rate that it has reached in this and the rounds before, in turns with
// direct at the same rate.
func (b *bench) halfLoads(ctx context.Context, round int, all []string) {
	for _, name := range all {
		if name == direct || ctx.Err() != nil {
			continue
		}
		most, ok := b.figures.median(crowded.rate(), name)
		if !ok {
			fmt.Fprintf(os.Stderr, "bench: mllp-half of %s needs %s\n", name, crowded.name())
			continue
		}
		sums := b.feed(round, crowded, most/2, direct, name)
		got, err := half(sums[name], sums[direct])
		b.report(round, "mllp-half", map[string]map[string]float64{name: got}, err)
	}
}

// half gives the figures of a middle beside those of none.
func half(s, base *fed) (map[string]float64, error) {
	switch {
	case s.err != nil || base.err != nil:
		return nil, errors.Join(s.err, base.err)
	case len(s.took) == 0 || len(base.took) == 0:
		return nil, errIdle
	}
	with, without := percentile(s.took, 99), percentile(base.took, 99)
	return map[string]float64{
		rowHalf: s.rate(), rowHalf50: millis(percentile(s.took, 50)), rowHalf99: millis(with),
		rowHalfBase: millis(without), rowHalfAdd: millis(with - without),
	}, nil
}
