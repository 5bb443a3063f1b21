package main

import (
	"strings"
	"unicode/utf8"
)

// The colours of a cell (ECMA-48 SGR), from the eight that every terminal has, so that they follow its theme.
const (
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	cyan   = "\x1b[36m"
	bold   = "\x1b[1m"
	normal = "\x1b[0m"
)

// cell is a text and its colour. They are kept apart until the end, so that widths count what is seen.
type cell struct {
	text, colour string
}

func plainCell(text string) cell { return cell{text: printable(text)} }

// cut shortens the text to width columns; 0 or less cuts nothing.
func (c cell) cut(width int) cell {
	if width > 0 && utf8.RuneCountInString(c.text) > width {
		c.text = string([]rune(c.text)[:width-1]) + "…"
	}
	return c
}

func (c cell) paint(colours bool) string {
	if !colours || c.colour == "" || c.text == "" {
		return c.text
	}
	return c.colour + c.text + normal
}

// column of a grid.
type column struct {
	head  string
	right bool // aligned to the right: numbers
	width int
}

// headRow is the row number of the column heads.
const headRow = -1

// gap parts the columns.
const gap = "  "

// grid is a table whose lines are asked for one by one, so that two grids can be interleaved.
type grid struct {
	indent  string
	columns []column
	rows    [][]cell
}

// add appends a row; it must have a cell for each column.
func (g *grid) add(cells ...cell) {
	g.rows = append(g.rows, cells)
	for i, c := range cells {
		g.columns[i].width = max(g.columns[i].width, utf8.RuneCountInString(c.text))
	}
}

// line is one row, without trailing blanks, cut to width columns (0 = not cut).
func (g *grid) line(row, width int, colours bool) string {
	var b strings.Builder
	b.WriteString(g.indent)
	left := width - len(g.indent)
	for i, col := range g.columns {
		c, wide := g.at(row, i), max(col.width, len(col.head))
		if width > 0 {
			if left <= 0 {
				break
			}
			c, wide = c.cut(left), min(wide, left)
		}
		b.WriteString(c.padded(wide, col.right, colours) + gap)
		left -= wide + len(gap)
	}
	return strings.TrimRight(b.String(), " ")
}

func (g *grid) at(row, column int) cell {
	if row == headRow {
		return cell{text: g.columns[column].head, colour: bold}
	}
	return g.rows[row][column]
}

func (c cell) padded(width int, right, colours bool) string {
	blank := strings.Repeat(" ", max(0, width-utf8.RuneCountInString(c.text)))
	if right {
		return blank + c.paint(colours)
	}
	return c.paint(colours) + blank
}
