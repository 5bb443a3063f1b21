package config

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"
)

// vocabulary uses every type and tag that the settings of a kind of check may use, also those that none uses yet.
type vocabulary struct {
	Word    string            `yaml:"word" default:"one" enum:"one,two" doc:"A word."`
	Text    string            `yaml:"text" min:"2" max:"4" doc:"A text."`
	Flag    bool              `yaml:"flag" default:"true" doc:"A flag."`
	Count   int               `yaml:"count" default:"7" min:"1" max:"9" doc:"A count."`
	Size    int               `yaml:"size" format:"size" default:"1MiB" min:"1KiB" max:"16MiB" doc:"A size."`
	Share   float64           `yaml:"share" default:"0.5" min:"0" max:"1" doc:"A share."`
	Wait    time.Duration     `yaml:"wait" default:"1m" min:"1s" doc:"A time."`
	Texts   []string          `yaml:"texts" default:"a,b" max:"3" doc:"Some texts."`
	Words   []string          `yaml:"words" enum:"red,green" doc:"Some words."`
	Counts  []int             `yaml:"counts" default:"200,204" doc:"Some counts."`
	Table   map[string]string `yaml:"table" doc:"A table."`
	Address netip.Addr        `yaml:"address" doc:"A type that reads itself."`
	Part    struct {
		Inner int `yaml:"inner" default:"3" doc:"Inside."`
	} `yaml:"part" doc:"A part."`
	Parts []struct {
		Inner int `yaml:"inner" default:"4" doc:"Inside."`
	} `yaml:"parts" doc:"Some parts."`
	Maybe *struct {
		Inner int `yaml:"inner" default:"5" doc:"Inside."`
	} `yaml:"maybe" doc:"Perhaps a part."`
}

func decodeVocabulary(t *testing.T, text string) (vocabulary, string) {
	t.Helper()
	var v vocabulary
	setDefaults(reflect.ValueOf(&v).Elem())
	n := new(yaml.Node)
	require.NoError(t, yaml.Load([]byte(text), n))
	d := newDecoder("v.yaml", testEnv)
	d.structure(reflect.ValueOf(&v).Elem(), n.Content[0], "")
	return v, d.sorted().Error()
}

func TestVocabularyDefaults(t *testing.T) {
	v, problems := decodeVocabulary(t, "{}")
	require.Empty(t, problems)
	require.Equal(t, []any{"one", "", true, 7, 1 << 20, 0.5, time.Minute}, []any{v.Word, v.Text, v.Flag, v.Count, v.Size, v.Share, v.Wait})
	require.Equal(t, []string{"a", "b"}, v.Texts)
	require.Equal(t, []int{200, 204}, v.Counts)
	require.Equal(t, 3, v.Part.Inner)
	require.Nil(t, v.Maybe)
}

func TestVocabulary(t *testing.T) {
	v, problems := decodeVocabulary(t, `{word: two, text: ab, flag: false, count: 9, size: 64KiB, share: 0.25, wait: 2m, texts: [x], words: [green],
		counts: [1], table: {a: b}, address: 10.0.0.1, part: {inner: 1}, parts: [{}, {inner: 2}], maybe: {}}`)
	require.Empty(t, problems)
	require.Equal(t, []any{"two", "ab", false, 9, 64 << 10, 0.25, 2 * time.Minute}, []any{v.Word, v.Text, v.Flag, v.Count, v.Size, v.Share, v.Wait})
	require.Equal(t, []any{[]string{"x"}, []string{"green"}, []int{1}, map[string]string{"a": "b"}}, []any{v.Texts, v.Words, v.Counts, v.Table})
	require.Equal(t, "10.0.0.1", v.Address.String())
	require.Equal(t, []int{1, 4, 2, 5}, []int{v.Part.Inner, v.Parts[0].Inner, v.Parts[1].Inner, v.Maybe.Inner})
}

func TestVocabularyProblems(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"word":          {"word: three", `word: not an accepted word (got "three"); accepted: one, two`},
		"text short":    {"text: a", `text: out of range (got "a"); from 2 to 4 characters`},
		"flag":          {`flag: "true"`, `flag: wrong type (got "true"); write true or false`},
		"count":         {"count: 10", "count: out of range (got 10); from 1 to 9"},
		"size form":     {"size: 5MB", `size: not a size (got "5MB"); write a whole number and a unit (B, KiB, MiB, GiB), such as 16MiB`},
		"size bound":    {"size: 17MiB", `size: out of range (got "17MiB"); from 1KiB to 16MiB`},
		"share":         {"share: 1.5", "share: out of range (got 1.5); from 0 to 1"},
		"share is NaN":  {"share: .nan", "share: not a usable number (got .nan); a number such as 0.5"},
		"wait":          {"wait: 0", "wait: out of range (got 0); at least 1s"},
		"texts":         {"texts: [a, b, c, d]", "texts: list is too long (got 4); at most 3 allowed"},
		"texts element": {"texts: [[a]]", "texts[0]: wrong type (got a list); write text"},
		"words":         {"words: [red, gren]", `words[1]: not an accepted word (got "gren"); did you mean "green"? accepted: red, green`},
		"counts":        {"counts: [a]", `counts[0]: wrong type (got "a"); write a whole number`},
		"table":         {"table: [a]", "table: wrong type (got a list); write a mapping: key: value"},
		"table element": {"table: {a: {b: c}}", "table.a: wrong type (got a mapping); write text"},
		"reads itself":  {"address: 10.0.0", `address: not a usable value: ParseAddr("10.0.0"): IPv4 address too short (got "10.0.0"); write text`},
		"parts":         {"parts: [{outer: 1}]", "parts[0].outer: unknown key; accepted: inner"},
		"parts element": {"parts: [1]", "parts[0]: wrong type (got 1); write a mapping: key: value"},
		"maybe":         {"maybe:", "maybe: value is missing; write a mapping, or remove the key"},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := decodeVocabulary(t, tt.text)
			require.Regexp(t, `^v\.yaml:1:\d+: `, problems)
			require.Contains(t, problems, tt.want)
		})
	}
}

// TestVocabularyInSchema: the schema has a form for all of it, and the reference too.
func TestVocabularyInSchema(t *testing.T) {
	s := &schemas{schema{}}
	o := s.object(reflect.TypeFor[vocabulary](), "")
	for _, f := range fieldsOf(reflect.TypeFor[vocabulary]()) {
		require.NotEmpty(t, o["properties"].(schema)[f.key], f.key)
		require.NotEmpty(t, f.valueText(), f.key)
		require.NotEmpty(t, f.sample(), f.key)
	}
}
