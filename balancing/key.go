package balancing

import (
	"hash/fnv"
	"net/netip"
)

// Key is what a client is known by: for persistence and for source-hash. It is
// 16 bytes so that an IPv6 address fits whole and longer names can be hashed
// into it. The zero Key means "not known": such a request is never remembered.
type Key [16]byte

// AddrKey gives the key of a client address. An IPv4 address and its
// IPv4-mapped IPv6 form (RFC 4291 section 2.5.5.2) are the same client, because
// one listener may show a client either way; a zone does not count. The zero
// Addr gives the zero Key.
func AddrKey(a netip.Addr) Key {
	if !a.IsValid() {
		return Key{}
	}
	return Key(a.As16())
}

// NameKey gives the key of a client that is known by a name: a calling AE title,
// an HTTP cookie. An empty name gives the zero Key.
func NameKey(name string) Key {
	if name == "" {
		return Key{}
	}
	h := fnv.New128a()
	_, _ = h.Write([]byte(name))
	return Key(h.Sum(nil))
}

// In gives the key of the same client within a part of a service that has servers
// of its own, named by text: what is remembered there and elsewhere must not
// touch each other. The zero Key stays zero, and an empty text changes nothing.
func (k Key) In(part string) Key {
	if k == (Key{}) || part == "" {
		return k
	}
	h := fnv.New128a()
	_, _ = h.Write(k[:])
	_, _ = h.Write([]byte(part))
	return Key(h.Sum(nil))
}
