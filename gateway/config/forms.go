package config

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gantry/gateway/dicomgate"
	"gantry/gateway/mllpgate"
)

// form is how one kind of single value is written in the file: the decoder, the defaults, the schema and the
// reference all ask it.
type form struct {
	word    string // its name in the reference: "duration"
	want    string // completes "write …" when a list or mapping stands there
	pattern string // what the schema accepts; empty = any string
	plain   []string
	// parse turns the text into the Go value. Its error is a *misfit, or any error whose text says what is wrong.
	parse func(text string) (any, error)
}

// misfit is a value that cannot be what it should be: what is wrong with it, and what is right.
type misfit struct {
	message, want string
	shown         bool // the message shows what stands there
}

func (m *misfit) Error() string { return m.message + "; " + m.want }

func wrong(message, want string) error { return &misfit{message: message, want: want} }

// asMisfit fills in what an error does not say.
func asMisfit(err error, fm *form) *misfit {
	var m *misfit
	if errors.As(err, &m) {
		return m
	}
	return &misfit{message: "not a usable value: " + err.Error(), want: "write " + fm.want}
}

// The YAML tags under which a plain scalar may arrive. A string takes nearly all: an unquoted 010 or true stays the
// text that was written.
var (
	tagsText   = []string{"!!str", "!!int", "!!float", "!!bool", "!!timestamp"}
	tagsInt    = []string{"!!int"}
	tagsNumber = []string{"!!int", "!!float"}
	tagsBool   = []string{"!!bool"}
)

const (
	patternName        = `^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`
	patternDuration    = `^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$`
	patternPercent     = `^[0-9]+(\.[0-9]+)?%$`
	patternSize        = `^[0-9]+(B|KiB|MiB|GiB)$`
	patternFingerprint = `^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$`
	patternReject      = `^(no-reason|(application-context|protocol-version)-not-supported|call(ing|ed)-ae-not-recognized|temporary-congestion|local-limit-exceeded|[12]/(1/[1237]|[23]/[12]))$`
	patternSecret      = `^(\$\{[A-Za-z_][A-Za-z0-9_]*\}|file:.+)$`
)

var (
	nameRule        = regexp.MustCompile(patternName)
	durationRule    = regexp.MustCompile(patternDuration)
	percentRule     = regexp.MustCompile(patternPercent)
	sizeRule        = regexp.MustCompile(patternSize)
	fingerprintRule = regexp.MustCompile(patternFingerprint)
)

// formsByFormat are chosen by the format tag, formsByType by the Go type of the field.
var formsByFormat = map[string]*form{
	"name":        {"name", "a name of up to 64 letters, digits, dots, dashes and underscores", patternName, tagsText, parseName},
	"kind":        {"word", "the kind of check", "", tagsText, parseText},
	"percent":     {"percentage", "a percentage such as 20%", patternPercent, tagsText, parsePercent},
	"size":        {"size", "a size such as 16MiB", patternSize, tagsText, parseSize},
	"listen":      {"IP:PORT", "IP:PORT or [IPv6]:PORT", "", tagsText, parseListenText},
	"address":     {"HOST or HOST:PORT", "HOST or HOST:PORT", "", tagsText, parseAddressText},
	"host":        {"HOST", "an IP address or a host name", "", tagsText, parseHostText},
	"ae":          {"AE title", "an AE title", "", tagsText, parseAETitle},
	"ae-pattern":  {"AE title or pattern", "an AE title or a pattern for it", "", tagsText, reader(dicomgate.ParseAEPattern)},
	"uid-pattern": {"UID or pattern", "a UID or a pattern for it", "", tagsText, reader(dicomgate.ParseUIDPattern)},
	"sop-class": {"SOP class or pattern", "a keyword of PS3.6, a UID or a pattern", "", tagsText,
		reader(dicomgate.ParseSOPClass)},
	"transfer-syntax": {"transfer syntax or pattern", "a keyword of PS3.6, a UID or a pattern", "", tagsText,
		reader(dicomgate.ParseTransferSyntax)},
	"reject":       {"rejection", "a word such as calling-ae-not-recognized", patternReject, tagsText, parseReject},
	"hl7-pattern":  {"name or pattern", "a name or a pattern for it", "", tagsText, reader(mllpgate.ParsePattern)},
	"message-type": {"message type or pattern", "CODE^TRIGGER or a pattern for it", "", tagsText, reader(mllpgate.ParseTypePattern)},
	"answer":       {"answer", "AR, AE or AR-200", patternAnswer, tagsText, parseAnswer},
	"refusal":      {"refusal", "AR, CR or AR-207", patternRefusal, tagsText, reader(mllpgate.ParseRefusal)},
	"path":         {"field", "a field such as PID-3.1", patternPath, tagsText, parsePath},
	"fingerprint":  {"SHA-256", "64 hexadecimal digits, with or without colons", patternFingerprint, tagsText, parseFingerprint},
	"file":         {"file", "the name of a file", "", tagsText, parseText},
	"secret":       {"secret", "${NAME} or file:PATH", patternSecret, tagsText, parseText},
}

var formsByType = map[reflect.Type]*form{
	reflect.TypeFor[string]():         {"text", "text", "", tagsText, parseText},
	reflect.TypeFor[bool]():           {"true or false", "true or false", "", tagsBool, parseBool},
	reflect.TypeFor[int]():            {"number", "a whole number", "", tagsInt, parseInt},
	reflect.TypeFor[float64]():        {"number", "a number", "", tagsNumber, parseFloat},
	reflect.TypeFor[time.Duration]():  {"duration", "a duration such as 500ms, 5s, 10m or 1h", patternDuration, tagsText, parseDuration},
	reflect.TypeFor[netip.AddrPort](): {"IP:PORT", "IP:PORT or [IPv6]:PORT", "", tagsText, parseListen},
	reflect.TypeFor[netip.Prefix]():   {"network", "a network such as 10.0.0.0/8", "", tagsText, parseNetwork},
}

// formFor is the form of a Go type without a format tag, nil for lists and mappings.
func formFor(t reflect.Type) *form {
	if fm := formsByType[t]; fm != nil {
		return fm
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return &form{"text", "text", "", tagsText, textParser(t)}
	}
	return nil
}

// form is the form of a field's value, nil for lists and mappings.
func (f field) form() *form {
	if fm := formsByFormat[f.format]; fm != nil && f.typ.Kind() != reflect.Slice {
		return fm
	}
	return formFor(f.typ)
}

// textParser serves types that read themselves.
func textParser(t reflect.Type) func(string) (any, error) {
	return func(text string) (any, error) {
		v := reflect.New(t)
		err := v.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text))
		return v.Elem().Interface(), err
	}
}

// The parsers of the forms follow; each says what is wrong and what to write instead.

func parseText(text string) (any, error) { return text, nil }

func parseName(text string) (any, error) {
	if !nameRule.MatchString(text) {
		return nil, wrong("not a usable name", "1 to 64 letters, digits, dots, dashes and underscores, the first a letter or digit")
	}
	return text, nil
}

// maxAETitle is the length of an AE title, PS3.5 table 6.2-1.
const maxAETitle = 16

// parseAETitle drops blanks around a title, which have no meaning (PS3.5 6.2).
func parseAETitle(text string) (any, error) {
	title := strings.Trim(text, " ")
	odd := func(r rune) bool { return r < ' ' || r > '~' || r == '\\' }
	if title == "" || len(title) > maxAETitle || strings.ContainsFunc(title, odd) {
		return nil, wrong("not an AE title", "write 1 to 16 ASCII characters without backslash")
	}
	if strings.ContainsAny(title, "*?") { // no node is called so; conditions have patterns
		return nil, wrong("a pattern, where one AE title is written into requests", "write the title; patterns stand in accept_called_ae, accept_calling_ae and when")
	}
	return title, nil
}

// parseFingerprint keeps the digits alone, in lower case.
func parseFingerprint(text string) (any, error) {
	if !fingerprintRule.MatchString(text) {
		return nil, wrong("not a SHA-256 fingerprint", "write 64 hexadecimal digits, with or without colons: what stands behind = in the line that openssl x509 -noout -sha256 -fingerprint prints")
	}
	return strings.ToLower(strings.ReplaceAll(text, ":", "")), nil
}

func parseBool(text string) (any, error) {
	return strings.EqualFold(text, "true"), nil // the YAML tag said that it is a bool
}

// decimal is a number as people write it; -0 and the like are left to the bounds.
var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

// parseInt reads decimal numbers only: 010 would be 8 to some readers and 10 to others.
func parseInt(text string) (any, error) {
	if !decimal.MatchString(text) {
		return nil, wrong("not a plain decimal number", "digits only, without a leading zero")
	}
	n, _ := strconv.Atoi(text) // out of range gives the nearest int, and the bounds do the rest
	return n, nil
}

func parseFloat(text string) (any, error) {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return nil, wrong("not a usable number", "a number such as 0.5")
	}
	return x, nil
}

// parseDuration reads 500ms, 5s, 1h30m and 7d; a bare 0 needs no unit. A sign is read too, so that the message can
// say that the value is out of range.
func parseDuration(text string) (any, error) {
	if text == "0" {
		return time.Duration(0), nil
	}
	bare := strings.TrimPrefix(text, "-")
	if decimal.MatchString(bare) {
		return nil, wrong("unit is missing", fmt.Sprintf("write %ss for seconds; units are ms, s, m, h, d", text))
	}
	if !durationRule.MatchString(bare) {
		return nil, wrong("not a duration", "write a number and a unit, such as 500ms, 5s, 10m, 1h or 7d")
	}
	d := sumDuration(bare)
	if len(bare) < len(text) {
		d = -d
	}
	return d, nil
}

// durationPart and durationUnits take a duration apart. Days are ours: Go's own durations end at hours, people's do not.
var durationPart = regexp.MustCompile(`([0-9.]+)(ms|s|m|h|d)`)

var durationUnits = map[string]time.Duration{
	"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
}

// sumDuration adds the parts up; what no Duration holds becomes the longest one, and the bounds do the rest.
func sumDuration(text string) time.Duration {
	var sum float64
	for _, part := range durationPart.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.ParseFloat(part[1], 64) // the rule allows only digits and one dot; too large is +Inf
		sum += n * float64(durationUnits[part[2]])
	}
	if sum >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(sum)
}

// parsePercent reads 20% as 0.2.
func parsePercent(text string) (any, error) {
	if !percentRule.MatchString(text) {
		if wanted := text + "%"; percentRule.MatchString(wanted) && !strings.Contains(text, ".") {
			return nil, wrong("not a percentage", "write it as "+wanted)
		}
		return nil, wrong("not a percentage", "write it as 20%")
	}
	x, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	if err != nil {
		return nil, wrong("not a percentage", "write it as 20%")
	}
	return x / 100, nil
}

// sizeUnits are binary; 16MB is refused because some mean 16,000,000 by it and some 16,777,216.
var sizeUnits = []struct {
	suffix string
	bytes  int
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"B", 1}}

// parseSize reads 16MiB as 16777216.
func parseSize(text string) (any, error) {
	if !sizeRule.MatchString(text) {
		return nil, wrong("not a size", "write a whole number and a unit (B, KiB, MiB, GiB), such as 16MiB")
	}
	for _, u := range sizeUnits {
		digits, ok := strings.CutSuffix(text, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.Atoi(digits)
		if err != nil || n > math.MaxInt64/u.bytes {
			return nil, wrong("size is too large", "a smaller one")
		}
		return n * u.bytes, nil
	}
	return nil, wrong("not a size", "write it as 16MiB")
}
