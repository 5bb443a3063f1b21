package config

import (
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// scalar decodes a single value: its YAML type, its words, its form, its bounds, in this order, the first misfit only.
func (d *decoder) scalar(s slot, fm *form, n *yaml.Node, path string) {
	if n = d.enter(n, path, fm, s.wanted(fm)); n == nil {
		return
	}
	v, err := s.read(fm, n)
	if err == nil {
		if s.format == "file" {
			v = d.beside(v.(string))
		}
		s.v.Set(reflect.ValueOf(v).Convert(s.typ))
		return
	}
	m, got := asMisfit(err, fm), shown(n)
	if s.format == "secret" || m.shown {
		got = "" // a secret is never shown: whatever stands there, it may be one
	}
	d.add(d.places[path], path, m.message, got, m.want)
}

// read turns a scalar node into the Go value of the field. The order decides which problem is told: that a word is a
// list's business before that it is misspelt, and both before that it is out of range.
func (f field) read(fm *form, n *yaml.Node) (any, error) {
	if err := f.rightType(fm, n); err != nil {
		return nil, err
	}
	if err := f.rightWord(n.Value); err != nil {
		return nil, err
	}
	v, err := fm.parse(n.Value)
	if err != nil {
		return nil, err
	}
	return v, f.outOfBounds(v)
}

// rightType checks how YAML itself understands the text.
func (f field) rightType(fm *form, n *yaml.Node) error {
	switch {
	case f.format != "secret" && variableRule.MatchString(n.Value):
		return wrong("variables are for secrets only", "write "+f.wanted(fm))
	case slices.Contains(fm.plain, n.ShortTag()):
		return nil
	case decimal.MatchString(n.Value) && slices.Contains(fm.plain, "!!int"):
		if n.Style == 0 {
			return nil // a number too large for YAML's own integers: the bounds will say so
		}
		return wrong("wrong type", "remove the quotes")
	}
	return wrong("wrong type", "write "+f.wanted(fm))
}

// rightWord checks a closed set of words, and names those that are Gantry's but not served yet.
func (f field) rightWord(word string) error {
	words := f.words()
	if words == nil || slices.Contains(words, word) {
		return nil
	}
	if u := unservedValue(f, word); u != nil {
		return u.misfit(word)
	}
	return wrong("not an accepted word", suggest(word, words))
}

// wanted completes "write …".
func (f field) wanted(fm *form) string {
	if words := f.words(); words != nil {
		return "one of " + strings.Join(words, ", ")
	}
	return fm.want
}

// words is the closed set of a field, nil when it has none.
func (f field) words() []string {
	if f.format == "kind" {
		return kindNames
	}
	unserved := func(word string) bool { return unservedValue(f, word) != nil }
	if slices.ContainsFunc(f.enum, unserved) {
		return slices.DeleteFunc(slices.Clone(f.enum), unserved)
	}
	return f.enum
}
