package main

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"
)

// figures holds what was measured: by row, by contender, one value a round.
type figures map[string]map[string][]float64

func (f figures) add(contender string, got map[string]float64) {
	for row, v := range got {
		if f[row] == nil {
			f[row] = map[string][]float64{}
		}
		f[row][contender] = append(f[row][contender], v)
	}
}

// median of what one contender reached, and whether there is any.
func (f figures) median(row, contender string) (float64, bool) {
	values := slices.Clone(f[row][contender])
	if len(values) == 0 {
		return 0, false
	}
	sort.Float64s(values)
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle], true
	}
	return (values[middle-1] + values[middle]) / 2, true
}

// ratio of two contenders' medians, as "1.67"; "" when one of them has none.
func (f figures) ratio(row, a, b string) string {
	x, ok := f.median(row, a)
	y, ok2 := f.median(row, b)
	if !ok || !ok2 || y == 0 {
		return ""
	}
	return plain(x / y)
}

// cell is a median with the extremes behind it: "21.4 (20.9…22.0)".
func (f figures) cell(row, contender string) string {
	m, ok := f.median(row, contender)
	if !ok {
		return "–"
	}
	values := f[row][contender]
	low, high := plain(slices.Min(values)), plain(slices.Max(values))
	if low == high {
		return plain(m)
	}
	return fmt.Sprintf("%s (%s…%s)", plain(m), low, high)
}

// plain is a number with the digits that count, about three.
func plain(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// short is one run's figures on one line.
func short(got map[string]float64) string {
	var parts []string
	for row, v := range got {
		_, unit, _ := strings.Cut(row, "(")
		parts = append(parts, plain(v)+" "+strings.TrimSuffix(unit, ")"))
	}
	sort.Strings(parts)
	return strings.Join(parts, ", ")
}

// percentile is the smallest sample that p percent of all are not above (nearest rank); 0 without samples.
// It sorts them.
func percentile(samples []time.Duration, p float64) time.Duration {
	if len(samples) == 0 {
		return 0
	}
	slices.Sort(samples)
	rank := int(math.Ceil(p / 100 * float64(len(samples))))
	return samples[min(max(rank, 1), len(samples))-1]
}
