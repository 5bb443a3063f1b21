package config

import (
	"maps"
	"reflect"
	"slices"

	"gantry/negotiate"
	"gantry/negotiate/connect"
	"gantry/negotiate/dicomassociate"
	"gantry/negotiate/dicomecho"
	"gantry/negotiate/dicomfind"
	"gantry/negotiate/dicomstore"
	execcheck "gantry/negotiate/exec"
	httpcheck "gantry/negotiate/http"
	"gantry/negotiate/mllpack"
	"gantry/negotiate/tlscheck"
	"gantry/negotiate/xdsregistry"
	"gantry/negotiate/xdsrepository"
)

// Settings are the fields of one kind of check.
type Settings = negotiate.Settings

// kind is one way of judging a server.
type kind struct {
	// settings returns a pointer to a struct with the tags of this package, its defaults not yet filled in.
	settings func() Settings
	doc      string // what it asks and what that proves, for the reference and for --help
	leaves   string // what it leaves behind on the server or on this machine; empty = nothing but lines in logs
	runs     bool   // it runs a program: needs allow_exec
}

// kinds is the one list of the kinds of checks that a configuration may name.
var kinds = map[string]kind{
	"connect": {
		settings: func() Settings { return &connect.Settings{} },
		doc: "The server takes a TCP connection, and completes the TLS handshake when the check has a `tls` block. It proves that a kernel accepts, " +
			"not that a process answers.",
	},
	"dicom-associate": {
		settings: func() Settings { return &dicomassociate.Settings{} },
		doc: "A DICOM association is accepted with all that is expected in it: SOP classes and transfer syntaxes. A part of them that is missing makes the " +
			"server degraded, all of them unhealthy. It notices a SOP class or a compression that was lost in an upgrade; it asks nothing over the association.",
	},
	"dicom-echo": {
		settings: func() Settings { return &dicomecho.Settings{} },
		doc:      "A DICOM association is accepted and a C-ECHO is answered with success.",
	},
	"dicom-find": {
		settings: func() Settings { return &dicomfind.Settings{} },
		doc: "A DICOM association is accepted and a C-FIND is answered: the database is read. By itself it searches for something that cannot exist; " +
			"with `study_uid` or `patient_id` for something that must be there.",
	},
	"dicom-store": {
		settings: func() Settings { return &dicomstore.Settings{} },
		doc:      "A small test image is stored with C-STORE and confirmed: the way of an image works, up to the disk.",
		leaves:   "It writes: one test image of the patient ZZ-GANTRY-PROBE for each server, always the same. Only for archives whose owners agree.",
	},
	"exec": {
		settings: func() Settings { return &execcheck.Settings{} },
		doc: "A program of your own says with its exit code how the server is, as monitoring plugins do: 0 healthy, 1 degraded, 2 a failure, 3 counts " +
			"neither way. It connects by itself.",
		leaves: "It runs a program on this machine, with the rights of the gateway: only with `allow_exec: true`.",
		runs:   true,
	},
	"http": {
		settings: func() Settings { return &httpcheck.Settings{} },
		doc:      "A request is answered with an accepted status and, if asked for, the expected body.",
	},
	"mllp": {
		settings: func() Settings { return &mllpack.Settings{} },
		doc: "An HL7 message is sent over MLLP and acknowledged, with its own id. By itself the message is of a type that nobody has (ZHC^ZHC, for training) " +
			"and names no patient: a receiver that refuses it lives.",
		leaves: "A receiver that takes every type, such as an interface engine, files the message: filter on MSH-3 = GANTRY there. " +
			"With a `message` of your own it writes what that says.",
	},
	"tls": {
		settings: func() Settings { return &tlscheck.Settings{} },
		doc: "A TLS handshake is completed, to the end that a refused client certificate is noticed too; a certificate that ends soon makes the server degraded. " +
			"It says nothing in any other protocol.",
	},
	"xds-registry": {
		settings: func() Settings { return &xdsregistry.Settings{} },
		doc: "A stored query (ITI-18) is answered with success: the registry reads its database. By itself it asks for a document that cannot exist; " +
			"with `patient_id` for those of a test patient.",
		leaves: "Each check leaves an audit record of a query on the registry.",
	},
	"xds-repository": {
		settings: func() Settings { return &xdsrepository.Settings{} },
		doc: "A document is asked for (ITI-43) and the answer is the right one: by itself the refusal of a document that cannot exist, with " +
			"`document_uid` the test document itself.",
		leaves: "Each check leaves an audit record of a retrieval on the repository.",
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

// loader is implemented by settings that name a file: read returns what is in it, at most max bytes; a relative name
// starts at the configuration's folder. What goes wrong is told by Validate, which is called next.
type loader interface {
	Load(read func(name string, max int64) ([]byte, error))
}
