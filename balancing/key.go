package balancing

import "net/netip"

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
