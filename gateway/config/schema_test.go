package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"
)

// validator checks a value against the part of JSON Schema that Schema uses. It is written apart from the decoder, so
// that a mistake would have to be made twice.
type validator struct{ defs map[string]any }

func (v validator) check(s map[string]any, value any, path string) error {
	if ref, ok := s["$ref"].(string); ok {
		return v.check(v.defs[ref[len("#/$defs/"):]].(map[string]any), value, path)
	}
	if choices, ok := s["anyOf"].([]any); ok {
		return v.anyOf(choices, value, path)
	}
	for _, rule := range []func(map[string]any, any) string{words, types, pattern, numbers, lengths} {
		if problem := rule(s, value); problem != "" {
			return fmt.Errorf("%s: %s", path, problem)
		}
	}
	switch value := value.(type) {
	case map[string]any:
		return v.object(s, value, path)
	case []any:
		for i, item := range value {
			if err := v.check(s["items"].(map[string]any), item, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v validator) anyOf(choices []any, value any, path string) error {
	var last error
	for _, c := range choices {
		if last = v.check(c.(map[string]any), value, path); last == nil {
			return nil
		}
	}
	return fmt.Errorf("%s: no choice fits, as %w", path, last)
}

func (v validator) object(s, value map[string]any, path string) error {
	required, _ := s["required"].([]any)
	for _, key := range required {
		if _, ok := value[key.(string)]; !ok {
			return fmt.Errorf("%s: %s is missing", path, key)
		}
	}
	properties, _ := s["properties"].(map[string]any)
	for key, item := range value {
		p, ok := properties[key].(map[string]any)
		if free, isFree := s["additionalProperties"].(map[string]any); !ok && isFree {
			p, ok = free, true
		}
		if !ok {
			return fmt.Errorf("%s: unknown key %s", path, key)
		}
		if err := v.check(p, item, path+"."+key); err != nil {
			return err
		}
	}
	return nil
}

func words(s map[string]any, value any) string {
	if enum, ok := s["enum"].([]any); ok && !slices.Contains(enum, value) {
		return fmt.Sprintf("%v is not one of %v", value, enum)
	}
	if c, ok := s["const"]; ok && c != value {
		return fmt.Sprintf("%v is not %v", value, c)
	}
	return ""
}

func types(s map[string]any, value any) string {
	want, _ := s["type"].([]any)
	if one, ok := s["type"].(string); ok {
		want = []any{one}
	}
	is := map[reflect.Kind]string{
		reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "integer", reflect.Float64: "number",
		reflect.Map: "object", reflect.Slice: "array",
	}[reflect.ValueOf(value).Kind()]
	if want != nil && !slices.Contains(want, any(is)) {
		return fmt.Sprintf("is %s, wanted %v", is, want)
	}
	return ""
}

func pattern(s map[string]any, value any) string {
	p, ok := s["pattern"].(string)
	if text, isText := value.(string); ok && isText && !regexp.MustCompile(p).MatchString(text) {
		return fmt.Sprintf("%q does not match %s", text, p)
	}
	return ""
}

func numbers(s map[string]any, value any) string {
	n, ok := value.(int)
	if !ok {
		return ""
	}
	return within(s, "minimum", "maximum", n)
}

func lengths(s map[string]any, value any) string {
	switch value := value.(type) {
	case []any:
		return within(s, "minItems", "maxItems", len(value))
	case string:
		return within(s, "minLength", "maxLength", len(value))
	}
	return ""
}

func within(s map[string]any, low, high string, n int) string {
	if least, ok := s[low].(float64); ok && float64(n) < least {
		return fmt.Sprintf("%d is less than %v", n, least)
	}
	if most, ok := s[high].(float64); ok && float64(n) > most {
		return fmt.Sprintf("%d is more than %v", n, most)
	}
	return ""
}

func validate(t *testing.T, data []byte) error {
	t.Helper()
	var s map[string]any
	require.NoError(t, json.Unmarshal(Schema(), &s))
	var value any
	require.NoError(t, yaml.Load(data, &value))
	return validator{s["$defs"].(map[string]any)}.check(s, value, "")
}

func TestSchemaAcceptsGood(t *testing.T) {
	corpus(t, "good", func(t *testing.T, file string, data []byte) {
		if file == "testdata/good/words.yaml" {
			t.Skip("an editor may well ask for quotes around a name such as 010")
		}
		require.NoError(t, validate(t, data))
	})
}

// beyondSchema are mistakes that a schema cannot name: they lie between values, in their form, or outside the file.
var beyondSchema = regexp.MustCompile(`^testdata/bad/(address-|ae-title|client-(cert-(alone|missing|none|broken|swapped)|key-)|dicom-(find|store)-(patient|uid|wild|worklist|size)|xds-|mllp-(type|message)|message-(keys|one|routes|pipelining|memory|persistence|order-by|never|protocol)|exec-(not|rel|place|tls)|max-latency|degraded-weight|flapping-|passive-|admin-open|alias-|allow-|ca-file-|check-two-ports|defaults-secret|` +
	`duplicate-|duration-(negative|zero|huge|no-unit)|fast-interval|http-|jitter-large|listen-|merge-key|mllp-in-tcp|routes-in-mllp|port-zero|secret-|syntax-|tab|` +
	`tag|two-documents|variable-|dicom-echo-|dicom-in-tcp|accept-pattern|associate-timeout|persistence-by|queue-(timeout|without)|response-timeout|pattern-|routes-in-tcp|` +
	`route-(after|calling|no-end|not-accepted|server|sop|two)|deep|key-is-list|empty-file|number-huge|leading-zero|several|name-bad)`)

func TestSchemaRefusesBad(t *testing.T) {
	corpus(t, "bad", func(t *testing.T, file string, data []byte) {
		if beyondSchema.MatchString(file) {
			t.Skip("only the decoder can find this")
		}
		require.Error(t, validate(t, data))
	})
}

// TestSchemaNamesEveryKey: the keys of all structs are in the schema and in the reference.
func TestSchemaNamesEveryKey(t *testing.T) {
	schema, reference := string(Schema()), string(Markdown())
	for where, f := range allFields() {
		require.Contains(t, schema, `"`+f.key+`": {`, where)
		require.Contains(t, reference, "| `"+f.key+"`", where)
		require.Contains(t, reference, cell(f.doc), where)
	}
}
