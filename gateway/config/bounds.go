package config

import (
	"fmt"
	"reflect"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// setDefaults fills a struct from the default tags, nested structs included. A default that does not parse is a
// mistake in the tag, which a test finds.
func setDefaults(v reflect.Value) {
	for _, f := range fieldsOf(v.Type()) {
		switch fv := v.Field(f.index); {
		case f.hasDef:
			f.setDefault(fv)
		case isStruct(f.typ):
			setDefaults(fv)
		}
	}
}

// setDefault reads the default tag exactly as the decoder would read it from a file.
func (f field) setDefault(v reflect.Value) {
	if f.typ.Kind() == reflect.Slice {
		f.setDefaultList(v)
		return
	}
	x, err := f.form().parse(f.def)
	if err != nil {
		panic(fmt.Sprintf("default of key %s: %v", f.key, err))
	}
	v.Set(reflect.ValueOf(x).Convert(f.typ))
}

// setDefaultList reads a default such as "200,204".
func (f field) setDefaultList(v reflect.Value) {
	elem := f.element()
	items := reflect.MakeSlice(f.typ, 0, 1)
	for _, word := range splitList(f.def) {
		item := reflect.New(elem.typ).Elem()
		elem.def = word
		elem.setDefault(item)
		items = reflect.Append(items, item)
	}
	v.Set(items)
}

// outOfBounds checks a single value against min and max.
func (f field) outOfBounds(value any) error {
	if f.min == "" && f.max == "" {
		return nil
	}
	x := measure(value)
	if f.min != "" && x < f.bound(f.min) || f.max != "" && x > f.bound(f.max) {
		return wrong("out of range", f.boundsText())
	}
	return nil
}

// bound is a min or max tag as a number. Tags are written as in the file, or as plain numbers.
func (f field) bound(tag string) float64 {
	if x, err := strconv.ParseFloat(tag, 64); err == nil {
		return x
	}
	v, err := f.form().parse(tag)
	if err != nil {
		panic(fmt.Sprintf("bound %q of key %s: %v", tag, f.key, err))
	}
	return measure(v)
}

// measure is what bounds compare: the size of a number, duration or text.
func measure(value any) float64 {
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Int, reflect.Int64:
		return float64(v.Int())
	case reflect.Float64:
		return v.Float()
	case reflect.String:
		return float64(utf8.RuneCountInString(v.String()))
	}
	return 0
}

// boundsText is the bounds in words: "from 1 to 256".
func (f field) boundsText() string {
	unit := ""
	if f.typ.Kind() == reflect.String {
		unit = " characters"
	}
	switch {
	case f.max == "":
		return "at least " + f.boundText(f.min) + unit
	case f.min == "":
		return "at most " + f.boundText(f.max) + unit
	}
	return "from " + f.boundText(f.min) + " to " + f.boundText(f.max) + unit
}

// boundText writes a bound as the file would.
func (f field) boundText(tag string) string {
	if f.format == "percent" {
		return strconv.FormatFloat(f.bound(tag)*100, 'f', -1, 64) + "%"
	}
	return tag
}

// length checks the number of elements of a list.
func (d *decoder) length(f field, n *yaml.Node, path string) {
	if f.min == "" && f.max == "" {
		return
	}
	if x := float64(len(n.Content)); f.min != "" && x < f.bound(f.min) {
		d.add(d.places[path], path, "list is too short", fmt.Sprint(len(n.Content)), "at least "+f.min+" needed")
	} else if f.max != "" && x > f.bound(f.max) {
		d.add(d.places[path], path, "list is too long", fmt.Sprint(len(n.Content)), "at most "+f.max+" allowed")
	}
}

// tooLong reports whether element i is beyond what the list may hold; it is not looked at.
func (f field) tooLong(i int) bool { return f.max != "" && float64(i) >= f.bound(f.max) }
