package statement

import (
	"fmt"
	"slices"
	"strings"
)

// Clause is one claim.
type Clause struct {
	Says  string   // a sentence or two, in Markdown
	Cites string   // where the standard speaks of it: "PS3.8 9.3.4"
	Tests []string // who shows it: "FOLDER TestName" or "FOLDER TestName/case", the folder from the root of the repository
}

// Section is a part of the statement. Numbers follow from the order.
type Section struct {
	Title    string
	Intro    string // Markdown, without claims that need a test
	Clauses  []Clause
	Sections []Section
}

const head = `<!-- Generated from the clauses in conformance/statement; do not edit. -->

# DICOM and HL7 conformance statement

`

// Page is the whole document.
func Page() string {
	var b strings.Builder
	b.WriteString(head + about)
	for i, s := range sections() {
		s.write(&b, fmt.Sprint(i+1), 2)
	}
	fmt.Fprintf(&b, "\n## Tests\n\nEach claim above names them by number. `go test ./FOLDER -run '^NAME$'` runs one; those of `conformance` stand "+
		"between real peers (`make peers`).\n\n| | folder | test |\n|---|---|---|\n")
	for i, t := range tests() {
		folder, name, _ := strings.Cut(t, " ")
		fmt.Fprintf(&b, "| %d | %s | %s |\n", i+1, folder, name)
	}
	return b.String()
}

func (s Section) write(b *strings.Builder, number string, level int) {
	dot := ""
	if level == 2 {
		dot = "."
	}
	fmt.Fprintf(b, "\n%s %s%s %s\n", strings.Repeat("#", level), number, dot, s.Title)
	if s.Intro != "" {
		fmt.Fprintf(b, "\n%s\n", strings.TrimSpace(s.Intro))
	}
	if len(s.Clauses) > 0 {
		b.WriteString("\n| claim | standard | tests |\n|---|---|---|\n")
	}
	for _, c := range s.Clauses {
		fmt.Fprintf(b, "| %s | %s | %s |\n", c.Says, c.Cites, c.numbers())
	}
	for i, sub := range s.Sections {
		sub.write(b, fmt.Sprintf("%s.%d", number, i+1), level+1)
	}
}

// numbers are those of the clause's tests in the list at the page's end.
func (c Clause) numbers() string {
	var words []string
	for i, t := range tests() {
		if slices.Contains(c.Tests, t) {
			words = append(words, fmt.Sprint(i+1))
		}
	}
	return strings.Join(words, ", ")
}

// tests are all that are named, in the order of the alphabet.
func tests() (all []string) {
	for c := range clauses(sections()) {
		all = append(all, c.Tests...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// clauses are those of the sections and of the ones below.
func clauses(all []Section) func(yield func(Clause) bool) {
	return func(yield func(Clause) bool) {
		var walk func([]Section) bool
		walk = func(all []Section) bool {
			for _, s := range all {
				for _, c := range s.Clauses {
					if !yield(c) {
						return false
					}
				}
				if !walk(s.Sections) {
					return false
				}
			}
			return true
		}
		walk(all)
	}
}
