package gallery

import (
	"fmt"
	"regexp"
	"strings"

	"gantry/negotiate"
)

var (
	measured = regexp.MustCompile(`(slowly: )[0-9.]+ m?s`)
	ends     = regexp.MustCompile(`(expires on |here it is )[0-9]{4}-[0-9]{2}-[0-9]{2}`)
)

// steady takes out of a sentence what is another with each run: what was measured, and what depends on the day.
func steady(sentence string) string {
	sentence = measured.ReplaceAllString(sentence, "${1}"+negotiate.Seconds(lateBy))
	return ends.ReplaceAllString(sentence, "${1}YYYY-MM-DD")
}

// anchor is the link to the section, as GitHub makes it of its heading.
func (f failure) anchor() string {
	var b strings.Builder
	for _, r := range strings.ToLower(fmt.Sprintf("%d. %s", f.number, f.title)) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r == '-', r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		}
	}
	return b.String()
}

// list is words, each once.
type list []string

func (l *list) add(word string) {
	for _, w := range *l {
		if w == word {
			return
		}
	}
	*l = append(*l, word)
}

func (l list) String() string { return strings.Join(l, ", ") }
