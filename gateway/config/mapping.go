package config

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// MaxKeys is how many keys one mapping may have; the longest valid one has fewer than 20. It bounds the search for
// similar words, and the headers of a check.
const MaxKeys = 256

// slot is a key that a mapping may have, and the value that it fills.
type slot struct {
	*field
	v reflect.Value
}

// slotsOf lists the keys of one mapping; a check has those of two structs, the common ones and its kind's.
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

// table decodes a mapping with free keys, such as the headers of a check.
func (d *decoder) table(s slot, n *yaml.Node, path string) {
	if n = d.enter(n, path, nil, "a mapping"); n == nil {
		return
	}
	elem, m := s.element(), reflect.MakeMap(s.typ)
	for _, p := range d.pairs(n, path) {
		item := reflect.New(elem.typ).Elem()
		d.value(slot{&elem, item}, p.value, join(path, p.key.Value))
		m.SetMapIndex(reflect.ValueOf(p.key.Value), item)
	}
	s.v.Set(m)
}

// structure decodes a mapping with the keys of one struct. Checks have a way of their own, because their keys depend
// on their type.
func (d *decoder) structure(v reflect.Value, n *yaml.Node, path string) {
	if n = d.enter(n, path, nil, "a mapping"); n == nil {
		return
	}
	pairs := d.pairs(n, path)
	if pairs == nil {
		return // not a mapping; that its keys are missing need not be said too
	}
	switch c := v.Addr().Interface().(type) {
	case *Check:
		d.check(c, pairs, n, path)
	case *Service:
		d.protocol = protocolOf(pairs)
		d.keys(v.Type(), slotsOf(v), d.foreign(pairs, path), n, path)
		d.finish(c, path)
		d.protocol = ""
	case *Route:
		d.keys(v.Type(), d.ofProtocol(slotsOf(v)), pairs, n, path)
	default:
		d.keys(v.Type(), slotsOf(v), pairs, n, path)
		d.finish(c, path)
	}
}

// keys decodes the pairs of a mapping into its slots and reports unknown and missing keys. in is the struct that the
// mapping is known by, for the keys that are not served or belong elsewhere. Under defaults nothing is required, and
// what belongs to one service is refused.
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

// join is the path of a key. A key is whatever the file says: one that is no plain word is quoted and shortened, so
// that a problem stays one readable line.
func join(path, key string) string {
	if !plainKey.MatchString(key) {
		key = quoted(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

var plainKey = regexp.MustCompile(`^[!-~]{1,64}$`)

// unknown reports a key that the mapping does not have: not served yet, at home elsewhere, or misspelt.
func (d *decoder) unknown(in reflect.Type, slots []slot, p pair, path string) {
	key := p.key.Value
	if u := unservedKey(in, key); u != nil {
		m := u.misfit(key)
		d.add(at(p.key), path, m.message, "", m.want)
		return
	}
	if protocol := protocolWithKey(in, key); protocol != "" && d.protocol != "" {
		d.add(at(p.key), path, "only a service of protocol "+protocol+" has this key", "protocol "+d.protocol, acceptedHere(slots))
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

// emptyHint is for people who mean to turn a block on.
func emptyHint(n *yaml.Node) string {
	if n.ShortTag() == "!!bool" {
		return ", or {} for its defaults"
	}
	return ""
}

// pairs returns the entries of a mapping that have a usable key, each key once. It is nil, after a problem, for
// anything else. YAML readers usually let the last of two equal keys win; here neither is worth a guess.
func (d *decoder) pairs(n *yaml.Node, path string) []pair {
	if n.Kind != yaml.MappingNode {
		d.add(d.places[path], path, "wrong type", shown(n), "write a mapping: key: value"+emptyHint(n))
		return nil
	}
	content := n.Content
	if count := len(content) / 2; count > MaxKeys {
		d.add(d.places[path], path, "mapping is too long", fmt.Sprintf("%d keys", count), fmt.Sprintf("at most %d keys", MaxKeys))
		content = content[:2*MaxKeys]
	}
	ps := make([]pair, 0, len(content)/2)
	first := map[string]int{} // key -> line
	for i := 0; i+1 < len(content); i += 2 {
		k, v := content[i], content[i+1]
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
