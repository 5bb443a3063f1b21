package config

import (
	"reflect"
	"strconv"
	"strings"
	"time"
)

// shownDuration writes a duration as the file would: 1h, not 1h0m0s.
func shownDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// shownSize writes a size as the file would, with the largest unit that leaves no rest.
func shownSize(n int) string {
	for i := len(sizeUnits) - 2; i >= 0; i-- { // the last one is the byte
		if u := sizeUnits[i]; n > 0 && n%u.bytes == 0 {
			return strconv.Itoa(n/u.bytes) + u.suffix
		}
	}
	return strconv.Itoa(n) + "B"
}

// splitList reads the words of a default or enum tag; an empty text is an empty list.
func splitList(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// placeholder writes the name of a form so that nobody takes it for a value.
func placeholder(word string) string {
	if strings.ContainsAny(word, " :") {
		return word
	}
	return strings.ToUpper(word)
}

// sample is what to write for a key that is missing.
func (f field) sample() string {
	switch {
	case f.words() != nil:
		return strings.Join(f.words(), " | ")
	case f.typ.Kind() == reflect.Slice && f.element().form() != nil:
		return "[" + f.element().form().word + "]"
	case f.typ.Kind() == reflect.Slice:
		return "[…]"
	case f.form() != nil:
		return placeholder(f.form().word)
	}
	return "{…}"
}
