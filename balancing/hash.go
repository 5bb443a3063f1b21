package balancing

import (
	"encoding/binary"
	"math/bits"
)

// unit turns 64 even bits into a number between 0 and 1, neither of them: with
// 52 bits the half added still fits a float64 exactly.
func unit(h uint64) float64 { return (float64(int64(h>>12)) + 0.5) / (1 << 52) }

// mix folds a 128-bit product: every bit of both words reaches every bit out.
// The constants are those of wyhash; the outcome must not change between
// versions, or a mixed pair would disagree about clients.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0xa0761d6478bd642f, b^0xe7037ed1a0b428db)
	h := hi ^ lo
	h ^= h >> 32
	h *= 0x8ebc6af09c88c6e3
	return h ^ h>>29
}

// keyHash folds a key into one word.
func keyHash(k Key) uint64 {
	return mix(binary.BigEndian.Uint64(k[:8]), binary.BigEndian.Uint64(k[8:]))
}

// nameHash folds a server's name into one word: FNV-1a, then mixed.
func nameHash(name string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return mix(h, uint64(len(name)))
}
