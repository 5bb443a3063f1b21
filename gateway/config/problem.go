package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// MaxProblems is how many problems are reported of one file; a last one says that there are more. It bounds the work
// and the memory that a hostile or mistaken file (a log file, say) can cause.
const MaxProblems = 1000

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	File    string `json:"file"`    // as it was named by the caller
	Line    int    `json:"line"`    // from 1; 0 when the problem has no place in the file
	Col     int    `json:"col"`     // from 1, in characters; 0 when the problem has no place in the file
	Path    string `json:"path"`    // as services[0].servers[1].weight; empty for the file as a whole
	Message string `json:"message"` // what is wrong
	Got     string `json:"got"`     // what stands there, shortened; empty when there is nothing to show, or a secret
	Want    string `json:"want"`    // what would be right
}

// String is the one line that people read:
//
//	FILE:LINE:COL: path: what is wrong (got …); what is right
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Col)
	}
	b.WriteString(": ")
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	if p.Got != "" {
		b.WriteString(" (got " + p.Got + ")")
	}
	if p.Want != "" {
		b.WriteString("; " + p.Want)
	}
	return b.String()
}

// Problems are all problems of a file, in the order of the file. As an error it is one line a problem.
type Problems []Problem

// Error joins the lines of all problems.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// place is where a value stands in the file. The zero value is no place.
type place struct{ line, col int }

// report collects the problems of one file.
type report struct {
	file     string
	problems Problems
}

// add notes a problem. After MaxProblems it only notes once that there are more.
func (r *report) add(at place, path, message, got, want string) {
	switch {
	case len(r.problems) > MaxProblems:
		return
	case len(r.problems) == MaxProblems:
		// The last line of the file comes last in the order too.
		at, path, got = place{line: maxLine, col: 1}, "", ""
		message, want = fmt.Sprintf("more than %d problems", MaxProblems), "the rest is not shown"
	}
	r.problems = append(r.problems, Problem{r.file, at.line, at.col, path, message, got, want})
}

// full reports whether looking further is of no use.
func (r *report) full() bool { return len(r.problems) > MaxProblems }

// maxLine is more than any file within MaxFileSize has.
const maxLine = MaxFileSize + 1

// sorted returns the problems in the order of the file. Lines that say the same are kept once.
func (r *report) sorted() Problems {
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col),
			cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message))
	})
	ps := slices.Compact(r.problems)
	if n := len(ps); n > 0 && ps[n-1].Line == maxLine {
		ps[n-1].Line, ps[n-1].Col = 0, 0
	}
	return ps
}

// maxShown is how many characters of a value a problem repeats.
const maxShown = 64

// quoted is text as a problem shows it.
func quoted(text string) string { return fmt.Sprintf("%q", shortened(text)) }

func shortened(text string) string {
	if r := []rune(text); len(r) > maxShown {
		return string(r[:maxShown]) + "…"
	}
	return text
}
