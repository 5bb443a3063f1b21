package config

import (
	"reflect"
	"slices"
	"strings"
)

// owners are the protocols whose services have a key that not all have.
var owners = map[string][]string{"dicom": {"dicom"}, "mllp": {"mllp"}, "routes": {"dicom", "mllp"}}

// foreign takes out of a service the keys that its protocol does not have, each with a problem: what they hold has
// another meaning there, or none. Where the protocol is what is wrong, they are passed over.
func (d *decoder) foreign(pairs []pair, path string) []pair {
	if path == "defaults" {
		return pairs // of no protocol; what belongs to one service is refused there anyway
	}
	protocol := protocolOf(pairs)
	var own []pair
	for _, p := range pairs {
		key := p.key.Value
		switch of := owners[key]; {
		case of == nil || slices.Contains(of, protocol):
			own = append(own, p)
		case protocol != "tcp" && protocol != "dicom" && protocol != "mllp":
		case key == "routes":
			d.add(at(p.key), join(path, key), "only a service of protocol dicom or mllp has this key", "protocol "+protocol,
				"remove it; clients can be split by network: one service each, with allow")
		default:
			d.add(at(p.key), join(path, key), "only a service of protocol "+key+" has this key", "protocol "+protocol, "remove it")
		}
	}
	return own
}

// protocolOf is the protocol that a service names, "" when none can be read.
func protocolOf(pairs []pair) string {
	for _, p := range pairs {
		if p.key.Value == "protocol" {
			return scalarOf(p.value)
		}
	}
	return ""
}

// ofProtocol leaves out the keys that are for services of another protocol.
func (d *decoder) ofProtocol(slots []slot) []slot {
	return slices.DeleteFunc(slots, func(s slot) bool { return s.protocol != "" && s.protocol != d.protocol })
}

// protocolWithKey is the protocol whose routes have a key that these do not: what is looked at in an association is not
// in a message. It is "" for a key that none of them has.
func protocolWithKey(in reflect.Type, key string) string {
	beside := func(t reflect.Type) bool { _, ok := findField(fieldsOf(t), key); return ok }
	switch {
	case in == inWhen && beside(inMessage):
		return "mllp"
	case in == inMessage && beside(inWhen):
		return "dicom"
	case in == inRoute:
		f, _ := findField(fieldsOf(in), key)
		return f.protocol
	}
	return ""
}

// acceptedHere lists the keys of a mapping.
func acceptedHere(slots []slot) string {
	names := make([]string, len(slots))
	for i, s := range slots {
		names[i] = s.key
	}
	return "accepted: " + strings.Join(names, ", ")
}
