// Package config reads Gantry's configuration: a YAML file in, a typed [Config] or every [Problem] out.
//
// The structs in types.go are the one truth. Their tags drive the decoder, the defaults, the JSON Schema
// (docs/gantry.schema.json) and the reference for people (docs/configuration.md):
//
//	yaml      the key; "-" is not a key
//	doc       one sentence
//	default   value of an absent key, written as in the file
//	enum      the accepted words, separated by commas
//	min, max  bounds of a number or duration, or of the length of a list
//	required  "true": the key must be there
//	format    what a string means: name, listen, address, host, secret, kind, percent, size, ae, path, fingerprint, or file: the
//	          name of one that a check opens itself; a relative one is joined with the configuration's folder
//	place     "service": not allowed under defaults
//	protocol  the key is for services of this protocol; another one may have a key of the same name
//
// The way of a file, each step a file of this package:
//
//	source    bytes -> the one YAML document, or what keeps it from being read
//	decode, mapping, scalar, forms, addresses, check
//	          nodes -> structs, by the tags alone; the defaults of the file first, since services start from them
//	outside   references to the environment and to other files -> secrets, certificate authorities
//	rules, listeners
//	          what no single value shows: names and addresses used twice, servers that are the gateway itself
//	resolve   checks of the service, or of the protocol -> checks of each server
//
// All steps go on after a problem and write into one report, which is sorted at the end. A [Config] exists only when
// the report is empty, so the gateway never sees half of one.
//
// The file is read strictly: an unknown key, a wrong type, a name or an address used twice is a problem. All problems
// are reported at once, in the order of the file, each with its place and what would be right. A key that is part of
// the public contract but not served by this version is refused with a sentence (unserved.go), never ignored.
package config

//go:generate go run ./internal/gen
