package balancing

import (
	"hash/fnv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestKeyHash: keys are FNV-1a of 128 bits, in this version and in the next.
func TestKeyHash(t *testing.T) {
	for _, name := range []string{"a", "CT1", "ZZ-GANTRY-1", strings.Repeat("\xff\x00", 100)} {
		h := fnv.New128a()
		_, _ = h.Write([]byte(name))
		want := Key(h.Sum(nil))
		require.Equal(t, want, NameKey(name))
		require.Equal(t, want, BytesKey([]byte(name)))
		h.Reset()
		_, _ = h.Write(want[:])
		_, _ = h.Write([]byte("DICOM1"))
		require.Equal(t, Key(h.Sum(nil)), want.In("DICOM1"))
	}
	require.Equal(t, Key{}, BytesKey(nil))
}

func TestKeysAllocateNothing(t *testing.T) {
	name, k := []byte("ZZ-GANTRY-1"), Key{}
	require.Zero(t, testing.AllocsPerRun(100, func() { k = BytesKey(name).In("HL72") }))
	require.NotZero(t, k)
}
