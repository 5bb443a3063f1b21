package config

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// schema is one node of a JSON Schema; encoding/json writes its keys in alphabetical order, so the file is stable.
type schema = map[string]any

// schemas collects the definitions of the mappings.
type schemas struct{ defs schema }

// Schema returns the JSON Schema (draft 2020-12) of the configuration, for editors. It is made from the same tags as
// the decoder. What a schema cannot say (names and addresses used once, for instance) only check-config finds.
func Schema() []byte {
	s := &schemas{schema{}}
	root := s.object(reflect.TypeFor[document](), "")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "Gantry configuration"
	root["$defs"] = s.defs
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // maps of strings and numbers only
	}
	return append(text, '\n')
}

// object is the schema of a mapping with the keys of one struct.
func (s *schemas) object(t reflect.Type, place string) schema {
	return s.fields(fieldsOf(t), place)
}

// fields is object for keys from several structs.
func (s *schemas) fields(fs []field, place string) schema {
	properties, required := schema{}, []string{}
	for _, f := range fs {
		if place == "defaults" && f.place == "service" {
			continue
		}
		properties[f.key] = either(properties[f.key], s.property(f))
		if f.required && place != "defaults" {
			required = append(required, f.key)
		}
	}
	o := schema{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		o["required"] = required
	}
	return o
}

// either is a choice where keys of several protocols have one name.
func either(one any, other schema) schema {
	if one == nil {
		return other
	}
	return schema{"anyOf": []any{one, other}}
}

// property is the schema of one key, with its sentence and default for the editor to show.
func (s *schemas) property(f field) schema {
	p := s.value(f)
	p["description"] = f.doc
	if f.hasDef {
		p["default"] = f.defaultJSON()
	}
	return p
}

// value mirrors the decoder's own division into single values, lists and mappings.
func (s *schemas) value(f field) schema {
	switch fm := f.form(); {
	case fm != nil:
		return f.scalarSchema(fm)
	case f.typ.Kind() == reflect.Slice:
		return s.listSchema(f)
	case f.typ.Kind() == reflect.Map:
		return schema{"type": "object", "additionalProperties": s.value(f.element())}
	case f.typ.Kind() == reflect.Pointer:
		return s.ref(f, f.typ.Elem())
	}
	return s.ref(f, f.typ)
}

// listSchema is the schema of a list; its bounds are those of its length.
func (s *schemas) listSchema(f field) schema {
	l := schema{"type": "array", "items": s.value(f.element())}
	setBound(l, "minItems", f, f.min)
	setBound(l, "maxItems", f, f.max)
	return l
}

// ref points to the definition of a mapping and makes it when it is met first.
func (s *schemas) ref(f field, t reflect.Type) schema {
	name := definitionName(f, t)
	if _, ok := s.defs[name]; !ok {
		s.defs[name] = schema{} // holds the place, should the type contain itself
		if t == inCheck {
			s.defs[name] = s.checks()
		} else {
			s.defs[name] = s.object(t, name)
		}
	}
	return schema{"$ref": "#/$defs/" + name}
}

// definitionName keeps defaults apart from services: the type is the same, the keys allowed are not. A type from another
// room may have the name of one of this room; it goes by its key.
func definitionName(f field, t reflect.Type) string {
	switch {
	case t == inMessage:
		return f.key + "_" + f.protocol
	case f.key == "defaults" || t.PkgPath() != inService.PkgPath():
		return f.key
	}
	return strings.ToLower(t.Name())
}

// checks is a choice: each kind has the common keys and its own.
func (s *schemas) checks() schema {
	choices := []schema{}
	for _, name := range kindNames {
		_, v := newSettings(name)
		o := s.fields(append(append([]field{}, fieldsOf(inCheck)...), fieldsOf(v.Type())...), "")
		o["properties"].(schema)["type"] = schema{"const": name, "description": kinds[name].doc}
		choices = append(choices, o)
	}
	return schema{"anyOf": choices}
}

// scalarSchema is the schema of a single value.
func (f field) scalarSchema(fm *form) schema {
	switch {
	case f.words() != nil:
		return schema{"enum": f.wordsJSON()}
	case f.typ.Kind() == reflect.Bool:
		return schema{"type": "boolean"}
	case fm.pattern == patternDuration:
		// A bare 0 needs no unit; the bounds below apply to numbers only, so they let nothing else in.
		return schema{"type": []string{"string", "integer"}, "pattern": fm.pattern, "minimum": 0, "maximum": 0}
	case fm.pattern != "":
		return schema{"type": "string", "pattern": fm.pattern}
	case f.format == "hl7-pattern": // a version such as 2.5 is a number to an editor
		return schema{"type": []string{"string", "number"}}
	case f.typ.Kind() == reflect.Int || f.typ.Kind() == reflect.Float64:
		n := schema{"type": map[reflect.Kind]string{reflect.Int: "integer", reflect.Float64: "number"}[f.typ.Kind()]}
		setBound(n, "minimum", f, f.min)
		setBound(n, "maximum", f, f.max)
		return n
	}
	t := schema{"type": "string"}
	setBound(t, "minLength", f, f.min)
	setBound(t, "maxLength", f, f.max)
	return t
}

// wordsJSON are the words of a closed set; one that an editor takes for a number when it is not quoted, such as 1.2, is
// accepted as that number too.
func (f field) wordsJSON() []any {
	var words []any
	for _, word := range f.words() {
		words = append(words, word)
		if x, err := strconv.ParseFloat(word, 64); err == nil {
			words = append(words, x)
		}
	}
	return words
}

// setBound adds a bound that is a plain number; durations and percentages are text in the file and have none here.
func setBound(s schema, key string, f field, tag string) {
	if x, err := strconv.ParseFloat(tag, 64); err == nil {
		s[key] = x
	}
}

// defaultJSON is the default as the schema's type wants it.
func (f field) defaultJSON() any {
	switch f.typ.Kind() {
	case reflect.Slice:
		items, elem := []any{}, f.element()
		for _, word := range splitList(f.def) {
			elem.def = word
			items = append(items, elem.defaultJSON())
		}
		return items
	case reflect.Bool:
		return f.def == "true"
	case reflect.Int:
		if n, err := strconv.Atoi(f.def); err == nil {
			return n
		}
	}
	return f.def
}
