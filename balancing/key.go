package balancing

import (
	"encoding/binary"
	"math/bits"
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
func NameKey(name string) Key { return hashed(name) }

// BytesKey is NameKey of a name in bytes.
func BytesKey(name []byte) Key { return hashed(name) }

// In gives the key of the same client within a part of a service that has servers
// of its own, named by text: what is remembered there and elsewhere must not
// touch each other. The zero Key stays zero, and an empty text changes nothing.
func (k Key) In(part string) Key {
	if k == (Key{}) || part == "" {
		return k
	}
	return add(add(newHash(), k[:]), part).key()
}

func hashed[T string | []byte](name T) Key {
	if len(name) == 0 {
		return Key{}
	}
	return add(newHash(), name).key()
}

// hash is FNV-1a of 128 bits, as hash/fnv has it, without its allocations.
type hash struct{ hi, lo uint64 }

func newHash() hash { return hash{0x6c62272e07bb0142, 0x62b821756295c58d} }

func add[T string | []byte](h hash, b T) hash {
	for i := range len(b) { // the prime is 2^88 + 0x13b
		h.lo ^= uint64(b[i])
		up, down := bits.Mul64(h.lo, 0x13b)
		h.hi, h.lo = up+h.lo<<24+h.hi*0x13b, down
	}
	return h
}

func (h hash) key() (k Key) {
	binary.BigEndian.PutUint64(k[:8], h.hi)
	binary.BigEndian.PutUint64(k[8:], h.lo)
	return k
}
