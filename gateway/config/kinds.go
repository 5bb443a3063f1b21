package config

import (
	"maps"
	"reflect"
	"slices"

	"gantry/negotiate"
	"gantry/negotiate/connect"
	"gantry/negotiate/dicomecho"
	httpcheck "gantry/negotiate/http"
)

// Settings are the fields of one kind of check.
type Settings = negotiate.Settings

// kind is one way of judging a server.
type kind struct {
	// settings returns a pointer to a struct with the tags of this package, its defaults not yet filled in.
	settings func() Settings
	doc      string // one sentence for the reference
}

// kinds is the one list of the kinds of checks that a configuration may name.
var kinds = map[string]kind{
	"connect": {
		func() Settings { return &connect.Settings{} },
		"The server takes a TCP connection, and completes the TLS handshake when the check has a `tls` block.",
	},
	"dicom-echo": {
		func() Settings { return &dicomecho.Settings{} },
		"A DICOM association is accepted and a C-ECHO is answered with success.",
	},
	"http": {
		func() Settings { return &httpcheck.Settings{} },
		"A request is answered with an accepted status and, if asked for, the expected body.",
	},
}

// kindOfProtocol is the check of a service that names none. None of them sends anything that could create or change a
// record. A protocol that is not listed gets connect.
var kindOfProtocol = map[string]string{"dicom": "dicom-echo"}

// kindNames are the kinds in alphabetical order.
var kindNames = slices.Sorted(maps.Keys(kinds))

// newSettings returns the settings of a kind with their defaults, and the struct behind them.
func newSettings(kind string) (Settings, reflect.Value) {
	s := kinds[kind].settings()
	v := reflect.ValueOf(s).Elem()
	setDefaults(v)
	return s, v
}

// kindWithKey names a kind whose settings have this key, "" when none does.
func kindWithKey(key string) string {
	for _, kind := range kindNames {
		_, v := newSettings(kind)
		for _, f := range fieldsOf(v.Type()) {
			if f.key == key {
				return kind
			}
		}
	}
	return ""
}

// secure asks settings whether they want TLS; it is implemented by settings that can ask for TLS themselves, as http does with scheme: https.
type secure interface{ Secure() bool }
