package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// MaxNodes is how many values (keys, scalars, lists, mappings) are read of one file, those reached through an alias
// counted each time: a small file of nested aliases cannot grow without bound.
const MaxNodes = 500_000

// decoder fills the typed structs from the nodes of one file. It goes on after a problem, so that all are found.
//
// Recursion is bounded by the types: a struct holds only smaller ones, so an alias that contains itself ends in a
// wrong type.
type decoder struct {
	*report
	opts    Options
	base    Service          // what a new service starts from: the defaults of the tags, then of the file
	places  map[string]place // where the value of a path stands; absent = not in the file
	visited int
	most    int // MaxNodes; less in a test, which is then quick
}

func newDecoder(file string, opts Options) *decoder {
	d := &decoder{report: &report{file: file}, opts: opts.withDefaults(), places: map[string]place{}, most: MaxNodes}
	setDefaults(reflect.ValueOf(&d.base).Elem())
	return d
}

// slot is a key that a mapping may have, and the value that it fills.
type slot struct {
	*field
	v reflect.Value
}

func slotsOf(structs ...reflect.Value) []slot {
	var slots []slot
	for _, s := range structs {
		fs := fieldsOf(s.Type())
		slots = slices.Grow(slots, len(fs))
		for i := range fs {
			slots = append(slots, slot{&fs[i], s.Field(fs[i].index)})
		}
	}
	return slots
}

func at(n *yaml.Node) place { return place{n.Line, n.Column} }

// enter follows an alias, remembers where the path stands and refuses what no value may be. It returns nil when there
// is nothing to decode.
func (d *decoder) enter(n *yaml.Node, path string, fm *form, want string) *yaml.Node {
	d.visited++
	if d.visited > d.most || d.full() {
		d.tooMany(n, path)
		return nil
	}
	d.places[path] = at(n)
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch {
	case isNull(n):
		d.add(d.places[path], path, "value is missing", "", "write "+want+", or remove the key")
	case n.Style&yaml.TaggedStyle != 0:
		d.add(d.places[path], path, "YAML tags are not used here", quoted(n.Tag), "remove the tag")
	case fm != nil && n.Kind != yaml.ScalarNode:
		d.add(d.places[path], path, "wrong type", shown(n), "write "+want)
	default:
		return n
	}
	return nil
}

// tooMany says once that the bound on nodes was reached.
func (d *decoder) tooMany(n *yaml.Node, path string) {
	if d.visited == d.most+1 {
		d.add(at(n), path, fmt.Sprintf("more than %d values in one file", d.most), "", "use fewer services, or fewer aliases")
	}
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// shown is what stands at a node, for a problem.
func shown(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.Style == 0 && n.ShortTag() != "!!str" && len(n.Value) <= maxShown {
		return n.Value // a number or a word with a meaning of its own
	}
	return quoted(n.Value)
}

// value decodes one value of any type.
func (d *decoder) value(s slot, n *yaml.Node, path string) {
	switch fm := s.form(); {
	case fm != nil:
		d.scalar(s, fm, n, path)
	case s.typ.Kind() == reflect.Slice:
		d.list(s, n, path)
	case s.typ.Kind() == reflect.Map:
		d.table(s, n, path)
	case s.typ.Kind() == reflect.Pointer:
		d.pointer(s, n, path)
	default:
		d.structure(s.v, n, path)
	}
}

// pointer decodes a block whose presence means something by itself.
func (d *decoder) pointer(s slot, n *yaml.Node, path string) {
	fresh := reflect.New(s.typ.Elem())
	setDefaults(fresh.Elem())
	s.v.Set(fresh)
	d.structure(fresh.Elem(), n, path)
}

// scalar decodes a single value: its YAML type, its words, its form, its bounds, in this order, the first misfit only.
func (d *decoder) scalar(s slot, fm *form, n *yaml.Node, path string) {
	if n = d.enter(n, path, fm, s.wanted(fm)); n == nil {
		return
	}
	v, err := s.read(fm, n)
	if err == nil {
		s.v.Set(reflect.ValueOf(v).Convert(s.typ))
		return
	}
	m, got := asMisfit(err, fm), shown(n)
	if s.format == "secret" || m.shown {
		got = "" // a secret is never shown: whatever stands there, it may be one
	}
	d.add(d.places[path], path, m.message, got, m.want)
}

// read turns a scalar node into the Go value of the field.
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

// rightWord checks a closed set of words.
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
	return f.enum
}

// list decodes a sequence; each element starts from its own defaults.
func (d *decoder) list(s slot, n *yaml.Node, path string) {
	elem := s.element()
	want := "a list"
	if fm := elem.form(); fm != nil {
		want = "a list: [" + fm.word + ", …]"
	}
	if n = d.enter(n, path, nil, want); n == nil {
		return
	}
	if n.Kind != yaml.SequenceNode {
		d.add(d.places[path], path, "wrong type", shown(n), wantList(n))
		return
	}
	d.length(*s.field, n, path)
	items := reflect.MakeSlice(s.typ, 0, len(n.Content))
	for i, c := range n.Content {
		if d.full() || s.tooLong(i) {
			break
		}
		item := reflect.New(elem.typ).Elem()
		d.start(item)
		d.value(slot{&elem, item}, c, fmt.Sprintf("%s[%d]", path, i))
		// Kept even when it could not be read: indices stay those of the file, and the rules see its good parts.
		items = reflect.Append(items, item)
	}
	s.v.Set(items)
}

// wantList shows how a single value becomes a list.
func wantList(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && len(n.Value) <= maxShown && !strings.ContainsAny(n.Value, " ,[]{}\n") {
		return fmt.Sprintf("write a list: [%s]", n.Value)
	}
	return "write a list, each entry on a line that begins with -"
}

// start gives a new element the values that it has when the file says nothing.
func (d *decoder) start(v reflect.Value) {
	if v.Type() == reflect.TypeFor[Service]() {
		v.Set(reflect.ValueOf(d.base))
		return
	}
	if isStruct(v.Type()) {
		setDefaults(v)
	}
}

// table decodes a mapping with free keys.
func (d *decoder) table(s slot, n *yaml.Node, path string) {
	if n = d.enter(n, path, nil, "a mapping"); n == nil {
		return
	}
	elem, m := s.element(), reflect.MakeMap(s.typ)
	for _, p := range d.pairs(n, path) {
		item := reflect.New(elem.typ).Elem()
		d.value(slot{&elem, item}, p.value, path+"."+p.key.Value)
		m.SetMapIndex(reflect.ValueOf(p.key.Value), item)
	}
	s.v.Set(m)
}

// structure decodes a mapping with the keys of one struct.
func (d *decoder) structure(v reflect.Value, n *yaml.Node, path string) {
	if n = d.enter(n, path, nil, "a mapping"); n == nil {
		return
	}
	pairs := d.pairs(n, path)
	switch c := v.Addr().Interface().(type) {
	case *Check:
		d.check(c, pairs, n, path)
	default:
		d.keys(v.Type(), slotsOf(v), pairs, n, path)
		d.finish(c, path)
	}
}

// keys decodes the pairs of a mapping into its slots and reports unknown and missing keys.
func (d *decoder) keys(in reflect.Type, slots []slot, pairs []pair, n *yaml.Node, path string) {
	inDefaults := path == "defaults"
	for _, p := range pairs {
		if d.full() {
			return
		}
		sub := join(path, p.key.Value)
		i := slices.IndexFunc(slots, func(s slot) bool { return s.key == p.key.Value })
		switch {
		case i < 0:
			d.unknown(in, slots, p, sub)
		case inDefaults && slots[i].place == "service":
			d.add(at(p.key), sub, "belongs to one service, not to defaults", "", "move it under services")
		default:
			d.value(slots[i], p.value, sub)
		}
	}
	if inDefaults {
		return
	}
	for _, s := range slots {
		if s.required && !slices.ContainsFunc(pairs, func(p pair) bool { return p.key.Value == s.key }) {
			d.add(at(n), path, fmt.Sprintf("key %q is missing", s.key), "", "add "+s.key+": "+s.sample())
		}
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// unknown reports a key that the mapping does not have: not served yet, or misspelt.
func (d *decoder) unknown(in reflect.Type, slots []slot, p pair, path string) {
	key := p.key.Value
	if u := unservedKey(in, key); u != nil {
		m := u.misfit(key)
		d.add(at(p.key), path, m.message, "", m.want)
		return
	}
	names := make([]string, 0, len(slots))
	for _, s := range slots {
		if !strings.HasPrefix(path, "defaults.") || s.place != "service" {
			names = append(names, s.key)
		}
	}
	if hint := misplaced(in, key); hint != "" {
		d.add(at(p.key), path, "unknown key", "", hint)
		return
	}
	d.add(at(p.key), path, "unknown key", "", suggest(key, names))
}

// pair is one entry of a mapping.
type pair struct{ key, value *yaml.Node }

// pairs returns the entries of a mapping that have a usable key, each key once. It is nil for anything else.
func (d *decoder) pairs(n *yaml.Node, path string) []pair {
	if n.Kind != yaml.MappingNode {
		d.add(d.places[path], path, "wrong type", shown(n), "write a mapping: key: value")
		return nil
	}
	ps := make([]pair, 0, len(n.Content)/2)
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch line, twice := first[k.Value]; {
		case k.ShortTag() == "!!merge":
			d.add(at(k), path, "merge keys are not used here", quoted(k.Value), "use defaults, or an alias for the whole value")
		case k.Kind != yaml.ScalarNode:
			d.add(at(k), path, "not a key", shown(k), "a key is one word")
		case twice:
			d.add(at(k), join(path, k.Value), "key is given twice", "", fmt.Sprintf("remove one; the first is on line %d", line))
		default:
			first[k.Value] = k.Line
			ps = append(ps, pair{k, v})
		}
	}
	return ps
}
