package conformance

import (
	"go/ast"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryDecoderIsFuzzed: each package that turns foreign bytes into values has a fuzz target, whose
// seeds run as a test and which `make fuzz` runs for longer.
func TestEveryDecoderIsFuzzed(t *testing.T) {
	decoders, fuzzed := map[string]bool{"gateway/config": true}, map[string]bool{}
	for _, s := range tree(t) {
		if strings.HasPrefix(s.dir, "protocols/") {
			decoders[s.dir] = true
		}
		for _, decl := range s.file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && s.isTest() && strings.HasPrefix(f.Name.Name, "Fuzz") {
				fuzzed[s.dir] = true
			}
		}
	}
	for dir := range decoders {
		require.True(t, fuzzed[dir], "%s has no fuzz target", dir)
	}
}
