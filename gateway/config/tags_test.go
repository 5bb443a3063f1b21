package config

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// allFields returns every key of every mapping, by "type.key".
func allFields() map[string]field {
	types := []reflect.Type{
		reflect.TypeFor[document](), reflect.TypeFor[Admin](), reflect.TypeFor[Log](), inService, reflect.TypeFor[Limits](),
		reflect.TypeFor[Timeouts](), inPersist, inMLLP, reflect.TypeFor[Duplicates](), inDICOM, inRoute, inWhen, inMessage,
		reflect.TypeFor[Passive](), reflect.TypeFor[Flapping](), inServer, inCheck, reflect.TypeFor[TLS](),
	}
	for _, name := range kindNames {
		_, v := newSettings(name)
		types = append(types, v.Type())
	}
	all := map[string]field{}
	for _, t := range types {
		for _, f := range fieldsOf(t) {
			all[t.String()+"."+f.key+f.protocol] = f
		}
	}
	return all
}

// TestTags: a tag is checked by nobody else, so a slip in one must fail here.
func TestTags(t *testing.T) {
	for where, f := range allFields() {
		t.Run(where, func(t *testing.T) {
			require.Regexp(t, `^[a-z][a-z0-9_]*$`, f.key)
			require.Regexp(t, `^[^ ].*[.]$`, f.doc, "a sentence")
			require.NotPanics(t, func() { f.boundsText() })
			if f.hasDef {
				v := reflect.New(f.typ).Elem()
				require.NotPanics(t, func() { f.setDefault(v) })
				if f.form() != nil {
					require.NoError(t, f.outOfBounds(v.Interface()))
					require.NoError(t, f.rightWord(f.def))
				}
			}
		})
	}
}

// TestKindsDoNotTakeCommonKeys: the keys of a kind stand beside those of every check.
func TestKindsDoNotTakeCommonKeys(t *testing.T) {
	common := map[string]bool{}
	for _, f := range fieldsOf(inCheck) {
		common[f.key] = true
	}
	for _, name := range kindNames {
		_, v := newSettings(name)
		for _, f := range fieldsOf(v.Type()) {
			require.False(t, common[f.key], "%s: %s", name, f.key)
		}
	}
}

// TestUnservedIsUnserved: a key that is served must leave the table.
func TestUnservedIsUnserved(t *testing.T) {
	for _, u := range notServed {
		for _, f := range fieldsOf(u.in) {
			if f.key == u.key {
				require.NotEmpty(t, u.words, "%s is a key", u.key)
				for _, word := range u.words {
					require.NotContains(t, f.words(), word)
				}
			}
		}
		require.NotEmpty(t, whereUnserved[u.in])
	}
}

// TestGenerated fails when docs are older than the tags.
func TestGenerated(t *testing.T) {
	for file, want := range map[string][]byte{"configuration.md": Markdown(), "gantry.schema.json": Schema()} {
		got, err := os.ReadFile("../../docs/" + file)
		require.NoError(t, err)
		require.True(t, string(want) == string(got), "docs/%s is stale: run go generate ./gateway/config", file)
	}
}

// TestReferenceLinks: every link of the reference leads to one of its headings.
func TestReferenceLinks(t *testing.T) {
	text := string(Markdown())
	links := regexp.MustCompile(`\]\(#([a-z]+)\)`).FindAllStringSubmatch(text, -1)
	require.NotEmpty(t, links)
	for _, link := range links {
		require.Regexp(t, "(?m)^##+ `"+link[1]+"`$", text)
	}
}

// TestExamples: what the reference shows is valid.
func TestExamples(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(Markdown()), -1)
	require.Len(t, blocks, 3)
	for _, b := range blocks {
		if strings.Contains(b[1], "services:") {
			parsed(t, b[1])
		}
	}
	hospital, err := os.ReadFile("testdata/good/hospital.yaml")
	require.NoError(t, err)
	require.Equal(t, Example(), string(hospital))
}
