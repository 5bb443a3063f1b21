package config

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A check can also be made from keys that stand in no file: a command line does, for a single run. The keys, their
// words and bounds, and every problem are those of the file, because the same decoder reads them.

// Kinds are the kinds of checks in alphabetical order.
func Kinds() []string { return slices.Clone(kindNames) }

// KindDoc says in a few sentences what a kind of check does, and what it leaves behind; empty for a kind that does not
// exist.
func KindDoc(kind string) string {
	return strings.TrimSpace(kinds[kind].doc + " " + kinds[kind].leaves)
}

// CheckKey is a key that a check may have.
type CheckKey struct {
	Key     string   // as in the file; keys of the block tls are "tls.ca_file" and so on
	Doc     string   // one sentence or more
	Default string   // as written in the file, lists separated by commas; empty when there is none
	Value   string   // the form of a value, or of one element: "duration", "HOST"
	Words   []string // the only accepted values; nil = any of the form
	List    bool     // may have several values
	Pairs   bool     // values are NAME=VALUE
	Switch  bool     // true or false
}

// singleKeys are those of the common keys that mean something to one run.
var singleKeys = []string{"timeout", "max_latency"}

// KindKeys are the keys of a kind's own, in the order of the reference; none for a kind that does not exist.
func KindKeys(kind string) []CheckKey {
	if _, ok := kinds[kind]; !ok {
		return nil
	}
	_, v := newSettings(kind)
	return checkKeys("", fieldsOf(v.Type()))
}

// CommonKeys are the keys that matter to a single run of any kind: its times, and those of the block tls.
func CommonKeys() []CheckKey {
	common := slices.DeleteFunc(slices.Clone(fieldsOf(inCheck)), func(f field) bool { return !slices.Contains(singleKeys, f.key) })
	return append(checkKeys("", common), checkKeys("tls.", fieldsOf(reflect.TypeFor[TLS]()))...)
}

// checkKeys describes fields to the outside; those of a mapping with fixed keys are listed one by one.
func checkKeys(prefix string, fs []field) []CheckKey {
	var keys []CheckKey
	for _, f := range fs {
		if isStruct(f.typ) {
			keys = append(keys, checkKeys(prefix+f.key+".", fieldsOf(f.typ))...)
			continue
		}
		k := CheckKey{Key: prefix + f.key, Doc: f.doc, Default: f.def}
		one := f
		if f.typ.Kind() == reflect.Slice || f.typ.Kind() == reflect.Map {
			one = f.element()
			k.List, k.Pairs = f.typ.Kind() == reflect.Slice, f.typ.Kind() == reflect.Map
		}
		k.Words, k.Switch = one.words(), one.typ.Kind() == reflect.Bool
		if fm := one.form(); fm != nil {
			k.Value = fm.word
		}
		if strings.HasSuffix(f.key, "_file") || strings.HasPrefix(f.doc, "File ") {
			k.Value = "file"
		}
		keys = append(keys, k)
	}
	return keys
}

// NewCheck makes a check from keys that stand in no file: each with its values, for a mapping as NAME=VALUE. The key
// "tls" alone, without values, turns TLS on; so does any key of its block. Relative paths start at the working folder.
// What a server of a service would add (Address, Port, AETitle) is left empty. The Path of a problem is the key; it
// has no place in a file.
func NewCheck(kind string, given map[string][]string, opts Options) (Check, Problems) {
	var c Check
	setDefaults(reflect.ValueOf(&c).Elem())
	_, v := newSettings(kind)
	if problems := missingKeys(fieldsOf(v.Type()), given); problems != nil {
		return c, problems
	}
	fs := slices.Concat(fieldsOf(inCheck), fieldsOf(v.Type()))
	root := &yaml.Node{Kind: yaml.MappingNode}
	put(root, "type", textNode(kind))
	for _, key := range sortedKeys(given) {
		grow(root, strings.Split(key, "."), fs, given[key])
	}
	d := newDecoder("", opts)
	d.structure(reflect.ValueOf(&c).Elem(), root, "")
	problems := d.sorted()
	for i := range problems {
		problems[i].Line, problems[i].Col = 0, 0
	}
	return c, problems
}

// missingKeys are a problem each, at the key itself: there is no mapping whose place could be shown.
func missingKeys(fs []field, given map[string][]string) Problems {
	var problems Problems
	for _, f := range fs {
		if _, ok := given[f.key]; f.required && !ok {
			problems = append(problems, Problem{Path: f.key, Message: "is missing", Want: f.doc})
		}
	}
	return problems
}

func sortedKeys(given map[string][]string) []string {
	var keys []string
	for key := range given {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// grow puts a key with its values into a mapping, and the mappings between if they are not there yet. A key that
// nobody knows is put there as text, so that the decoder says what it says of such keys in a file.
func grow(n *yaml.Node, names []string, fs []field, values []string) {
	f, known := findField(fs, names[0])
	if !known {
		put(n, names[0], textNode(strings.Join(values, ",")))
		return
	}
	inner := f.typ
	if inner.Kind() == reflect.Pointer {
		inner = inner.Elem()
	}
	if !isStruct(inner) {
		put(n, f.key, f.nodeOf(values))
		return
	}
	block := child(n, f.key)
	if len(names) > 1 {
		grow(block, names[1:], fieldsOf(inner), values)
	}
}

func findField(fs []field, key string) (field, bool) {
	i := slices.IndexFunc(fs, func(f field) bool { return f.key == key })
	if i < 0 {
		return field{}, false
	}
	return fs[i], true
}

// put appends a key and its value to a mapping.
func put(n *yaml.Node, key string, value *yaml.Node) {
	n.Content = append(n.Content, textNode(key), value)
}

// child is the mapping under a key, made when it is not there.
func child(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	block := &yaml.Node{Kind: yaml.MappingNode}
	put(n, key, block)
	return block
}

// nodeOf is what a file would have for these values.
func (f field) nodeOf(values []string) *yaml.Node {
	switch f.typ.Kind() {
	case reflect.Slice:
		list, elem := &yaml.Node{Kind: yaml.SequenceNode}, f.element()
		for _, v := range values {
			list.Content = append(list.Content, elem.scalarNode(v))
		}
		return list
	case reflect.Map:
		table, elem := &yaml.Node{Kind: yaml.MappingNode}, f.element()
		for _, v := range values {
			name, value, _ := strings.Cut(v, "=")
			put(table, name, elem.scalarNode(value))
		}
		return table
	}
	return f.scalarNode(strings.Join(values, ","))
}

// scalarNode writes text for fields that take text, and for the others the tag that YAML would find.
func (f field) scalarNode(value string) *yaml.Node {
	n := textNode(value)
	if fm := f.form(); fm != nil && slices.Contains(fm.plain, "!!str") {
		return n
	}
	_, notNumber := strconv.ParseFloat(value, 64)
	switch {
	case value == "true" || value == "false":
		n.Tag, n.Style = "!!bool", 0
	case decimal.MatchString(value):
		n.Tag, n.Style = "!!int", 0
	case notNumber == nil:
		n.Tag, n.Style = "!!float", 0
	}
	return n
}

func textNode(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value, Style: yaml.DoubleQuotedStyle}
}
