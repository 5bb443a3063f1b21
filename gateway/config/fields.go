package config

import (
	"reflect"
	"strings"
	"sync"
)

// field is one key of a mapping as its struct tag describes it.
type field struct {
	key      string
	doc      string
	def      string // the default as written in the file; meaningful when hasDef
	hasDef   bool
	min, max string // bounds of a number or duration; of the length when the field is a list
	enum     []string
	format   string
	place    string
	protocol string // of the services that have the key; empty = all
	required bool

	index int // in the struct
	typ   reflect.Type
}

// fieldCache holds the fields of a struct type; the types are few and fixed.
var fieldCache sync.Map // reflect.Type -> []field

// fieldsOf returns the keys of a struct in the order of its fields.
func fieldsOf(t reflect.Type) []field {
	if fs, ok := fieldCache.Load(t); ok {
		return fs.([]field)
	}
	var fs []field
	for i := range t.NumField() {
		if f, ok := newField(t.Field(i), i); ok {
			fs = append(fs, f)
		}
	}
	fieldCache.Store(t, fs)
	return fs
}

// newField reads the tags of a struct field; ok is false for one that is no key of the file.
func newField(sf reflect.StructField, index int) (field, bool) {
	tag := sf.Tag
	f := field{
		key: tag.Get("yaml"), doc: tag.Get("doc"), min: tag.Get("min"), max: tag.Get("max"),
		format: tag.Get("format"), place: tag.Get("place"), protocol: tag.Get("protocol"), required: tag.Get("required") == "true",
		index: index, typ: sf.Type,
	}
	f.def, f.hasDef = tag.Lookup("default")
	if e := tag.Get("enum"); e != "" {
		f.enum = strings.Split(e, ",")
	}
	return f, f.key != "" && f.key != "-" && sf.IsExported()
}

// element is the field of one element of a list or map: the bounds belong to the whole, all else to the element.
func (f field) element() field {
	f.typ, f.min, f.max, f.def, f.hasDef, f.required = f.typ.Elem(), "", "", "", false, false
	return f
}

// isStruct reports whether a value of this type is a mapping with fixed keys.
func isStruct(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && formFor(t) == nil
}
