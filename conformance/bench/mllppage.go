package main

import (
	"slices"
	"strings"
)

// mllpAims are the rows about messages, in the order of the page, and what the project wants of itself there.
func mllpAims() []dicomAim {
	var rates, times, costs []dicomAim
	for _, l := range mllpLoads {
		aim := ""
		if l == crowded {
			aim = "≥ 45,000 on 2 processors"
		}
		rates = append(rates, dicomAim{l.rate(), aim})
		times = append(times, dicomAim{l.p50(), ""}, dicomAim{l.p99(), ""})
		costs = append(costs, dicomAim{l.cost(), ""})
	}
	half := []dicomAim{{rowHalf, ""}, {rowHalf50, ""}, {rowHalf99, ""}, {rowHalfBase, ""}, {rowHalfAdd, "≤ 1 ms"}}
	all := append(append(append(rates, times...), half...), costs...)
	return append(all, dicomAim{rowSender, "≤ 4 kB"})
}

// mllpTable has one row a figure and one column a contender.
func (b *bench) mllpTable() string {
	names := []string{direct, haproxy, connections, messages, ordered}
	lines := []string{"| load | " + strings.Join(names, " | ") + " |", "|---" + strings.Repeat("|---", len(names)) + "|"}
	for _, a := range mllpAims() {
		if len(b.figures[a.row]) == 0 {
			continue
		}
		cells := []string{a.row}
		for _, name := range names {
			cells = append(cells, b.figures.cell(a.row, name))
		}
		lines = append(lines, "| "+strings.Join(cells, " | ")+" |")
	}
	return strings.Join(lines, "\n")
}

// mllpRatios compares Gantry that routes each message with the others, and with what it should reach.
func (b *bench) mllpRatios() string {
	lines := []string{"| load | Gantry, per-message | aim | to HAProxy | to direct | to per-connection |", "|---|---|---|---|---|---|"}
	for _, a := range mllpAims() {
		if len(b.figures[a.row]) == 0 {
			continue
		}
		cells := []string{a.row, b.figures.cell(a.row, messages), a.aim}
		for _, other := range []string{haproxy, direct, connections} {
			ratio := ""
			if !slices.Contains(halfRows, a.row) {
				ratio = b.figures.ratio(a.row, messages, other)
			}
			cells = append(cells, ratio)
		}
		lines = append(lines, "| "+strings.Join(cells, " | ")+" |")
	}
	return strings.Join(lines, "\n")
}
