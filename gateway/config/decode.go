package config

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v4"
)

// MaxNodes is how many values (scalars, lists, mappings) are read of one file, those reached through an alias
// counted each time: a small file of nested aliases cannot grow without bound.
const MaxNodes = 500_000

// decoder fills the typed structs from the nodes of one file. It goes on after a problem, so that all are found.
//
// Recursion is bounded by the types: a struct holds only smaller ones, so an alias that contains itself ends in a
// wrong type.
type decoder struct {
	*report
	opts Options
	base Service // what a new service starts from: the defaults of the tags, then of the file
	// protocol is that of the service that is being read; empty outside of any.
	protocol string
	places   map[string]place // where the value of a path stands; absent = not in the file
	visited  int
	most     int // MaxNodes; less in a test, which is then quick
}

// newDecoder returns a decoder for one file; it is used once.
func newDecoder(file string, opts Options) *decoder {
	d := &decoder{report: &report{file: file}, opts: opts.withDefaults(), places: map[string]place{}, most: MaxNodes}
	setDefaults(reflect.ValueOf(&d.base).Elem())
	return d
}

// at is where a node stands. The reader counts columns in characters, from 1.
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

// isNull reports a key without a value (or ~). It is refused everywhere: nobody can tell an unfinished line from one
// that means "none".
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

// value decodes one value of any type. What has a form is a single value; the rest follows from the Go type.
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

// pointer decodes a block whose presence means something by itself, as that of tls does even when it is empty. A block
// of a service starts from that of the defaults, like those that are always there.
func (d *decoder) pointer(s slot, n *yaml.Node, path string) {
	fresh := reflect.New(s.typ.Elem())
	if s.v.IsNil() {
		setDefaults(fresh.Elem())
	} else {
		fresh.Elem().Set(s.v.Elem())
	}
	s.v.Set(fresh)
	d.structure(fresh.Elem(), n, path)
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

// wantList shows how a single value becomes a list. It is not taken for a list of one: the next person would add a
// second value after a comma, and get one odd text.
func wantList(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && len(n.Value) <= maxShown && !strings.ContainsAny(n.Value, " ,[]{}\n") {
		return fmt.Sprintf("write a list: [%s]", n.Value)
	}
	return "write a list, each entry on a line that begins with -"
}

// start gives a new element the values that it has when the file says nothing. Services share what the defaults
// point to (their lists); nothing is changed in place later, resolveChecks clones before it writes.
func (d *decoder) start(v reflect.Value) {
	if v.Type() == reflect.TypeFor[Service]() {
		v.Set(reflect.ValueOf(d.base))
		return
	}
	if isStruct(v.Type()) {
		setDefaults(v)
	}
}
