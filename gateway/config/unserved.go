package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gantry/gateway/dicomgate"
	"gantry/gateway/mllpgate"
)

// unserved is a key, or a word of a key, that belongs to Gantry's contract but is not served by this version. It is
// refused with a sentence: accepted and ignored it would promise something that does not happen.
type unserved struct {
	in      reflect.Type // the mapping
	key     string
	words   []string // the words not served; nil = the whole key
	instead string
}

var (
	inService = reflect.TypeFor[Service]()
	inServer  = reflect.TypeFor[Server]()
	inCheck   = reflect.TypeFor[Check]()
	inMLLP    = reflect.TypeFor[MLLP]()
	inPersist = reflect.TypeFor[Persistence]()
	inDICOM   = reflect.TypeFor[DICOM]()
	inRoute   = reflect.TypeFor[Route]()
	inWhen    = reflect.TypeFor[dicomgate.Route]()
	inMessage = reflect.TypeFor[mllpgate.Rule]()
)

// notServed is the one table of what this version leaves out; the reference lists it.
var notServed = []unserved{
	{inService, "protocol", []string{"http", "xds"}, `write tcp, with a check of type http`},
	{inService, "mode", []string{"l7-tproxy", "l4-dr", "l4-nat", "l4-snat"}, "write l7-snat, or remove the key"},
	{inService, "tls", nil, "remove it; TLS passes a service of protocol tcp untouched, up to the server"},
	{inService, "proxy_protocol", nil, "remove it"},
	{inPersist, "by", []string{"cookie"}, "write source-ip or none"},
	{inServer, "proxy_protocol", nil, "remove it"},
}

func (u *unserved) misfit(word string) *misfit {
	return &misfit{fmt.Sprintf("%q is not served by this version of gantry", word), u.instead, true}
}

// unservedKey finds a key that is refused as a whole.
func unservedKey(in reflect.Type, key string) *unserved {
	return findUnserved(func(u unserved) bool { return u.in == in && u.key == key && u.words == nil })
}

// unservedValue finds a word that is refused. The key alone tells the mapping: no two have the same closed key.
func unservedValue(f field, word string) *unserved {
	return findUnserved(func(u unserved) bool { return u.key == f.key && slices.Contains(u.words, word) })
}

func findUnserved(match func(unserved) bool) *unserved {
	if i := slices.IndexFunc(notServed, match); i >= 0 {
		return &notServed[i]
	}
	return nil
}

// elsewhere are keys that are known, but in another mapping or in another form.
var elsewhere = []struct {
	in        reflect.Type
	key, hint string
}{
	{inServer, "port", "write it in address: HOST:PORT"},
	{inService, "port", "write it in listen: [IP:PORT]"},
	{inService, "address", "write listen: [IP:PORT]"},
	{inService, "weight", "write it at each server"},
	{inService, "backup", "write it at each server"},
	{inService, "max_connections", "write limits: {connections: N}, or max_connections at each server"},
	{inService, "routing", "write mllp: {routing: per-connection}"},
	{inCheck, "ca_file", "write tls: {ca_file: …}"},
	{inCheck, "server_name", "write tls: {server_name: …}"},
	{inCheck, "verify", "write tls: {verify: …}"},
	{inCheck, "verify_host", "write tls: {verify_host: …}"},
	{inCheck, "cert_file", "write tls: {cert_file: …, key_file: …}"},
	{inCheck, "key_file", "write tls: {cert_file: …, key_file: …}"},
	{inCheck, "fingerprint", "write tls: {fingerprint: …}"},
	{inCheck, "min_version", "write tls: {min_version: …}"},
}

// misplaced is what to do about a key that belongs elsewhere, "" when it does not.
func misplaced(in reflect.Type, key string) string {
	for _, e := range elsewhere {
		if e.in == in && e.key == key {
			return e.hint
		}
	}
	if in != inCheck {
		return ""
	}
	if kinds := kindsWithKey(key); kinds != nil {
		return "it is a key of checks of type " + strings.Join(kinds, ", ")
	}
	return ""
}

// kindsWithKey names the kinds whose settings have this key.
func kindsWithKey(key string) []string {
	var names []string
	for _, kind := range kindNames {
		_, v := newSettings(kind)
		if _, ok := findField(fieldsOf(v.Type()), key); ok {
			names = append(names, kind)
		}
	}
	return names
}
