package config

import (
	"errors"
	"io/fs"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v4"
)

// document decodes the whole file: the defaults first, wherever they stand, because services start from them.
func (d *decoder) document(doc *document, root *yaml.Node) {
	n := d.enter(root, "", nil, "a mapping")
	if n == nil {
		return
	}
	pairs := d.pairs(n, "")
	slices.SortStableFunc(pairs, func(a, b pair) int { return rank(a) - rank(b) })
	v := reflect.ValueOf(doc).Elem()
	slots := slotsOf(v)
	for i := range slots {
		if slots[i].key == "defaults" {
			slots[i].v = reflect.ValueOf(&d.base).Elem()
		}
	}
	if n.Kind == yaml.MappingNode {
		d.keys(v.Type(), slots, pairs, n, "")
		d.rules(doc)
	}
}

// rank puts defaults before all else.
func rank(p pair) int {
	if p.key.Value == "defaults" {
		return 0
	}
	return 1
}

// finish does what the tags of a struct cannot say, once its keys are decoded.
func (d *decoder) finish(decoded any, path string) {
	switch s := decoded.(type) {
	case *Admin:
		if _, given := d.places[path+".token"]; given && s.Token != "" {
			s.Token = d.secret(s.Token, path+".token")
		}
	case *TLS:
		d.authorities(s, path)
		d.clientCertificate(s, path)
		if _, given := d.places[path+".verify"]; s.Fingerprint != "" && !given {
			s.Verify = false
		}
	case *Service:
		if s.Passive != nil && s.Passive.Failures == 0 {
			s.Passive = nil
		}
		if path != "defaults" {
			s.finishDICOM()
			d.finishPersistence(s, path)
		}
	case *Server:
		s.Host, s.Port, _ = splitAddress(s.Address) // its form was checked before
	}
}

// unreadable is what to do about a file that cannot be read.
func unreadable(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "name an existing file"
	case errors.Is(err, fs.ErrPermission):
		return "give the user of the gateway the right to read it"
	}
	return "name a YAML file of at most 4 MiB"
}
