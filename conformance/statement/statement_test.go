package statement

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write conformance/STATEMENT.md anew")

// TestStatement keeps the page as the clauses make it.
func TestStatement(t *testing.T) {
	file := filepath.Join("..", "STATEMENT.md")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(Page()), 0o644))
	}
	have, err := os.ReadFile(file)
	require.NoError(t, err)
	require.True(t, string(have) == Page(), "%s is stale: go test ./conformance/statement -update", file)
}

// TestClausesNameTheirTests: no claim without its place in the standard and a test, and no test that does not exist.
func TestClausesNameTheirTests(t *testing.T) {
	n := 0
	for c := range clauses(sections()) {
		n++
		require.NotEmpty(t, c.Tests, c.Says)
		require.Regexp(t, `^(PS3\.\d+|HL7 2\.5\.1|MLLP release [12],) `, c.Cites, c.Says)
		for _, name := range c.Tests {
			require.NoError(t, exists(name), c.Says)
		}
	}
	require.Greater(t, n, 30)
}

// TestImplementationIsTheOneSent: the identification on the page is that of the source.
func TestImplementationIsTheOneSent(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("..", "..", "negotiate", "internal", "dicomtalk", "caller.go"))
	require.NoError(t, err)
	uid := regexp.MustCompile(`const ImplementationClassUID = "([\d.]+)"`).FindSubmatch(source)
	require.NotNil(t, uid)
	require.Contains(t, Page(), "| implementation class UID | "+string(uid[1])+" |")
	require.Contains(t, string(source), "const maxData = 16384\n")
	require.Contains(t, Page(), "| maximum length announced | 16384 |")
}

func TestMissingTestsAreFound(t *testing.T) {
	for name, want := range map[string]string{
		"conformance/statement TestNoSuchThing":             "no test",
		"conformance/statement clauses":                     "no test",
		"conformance/nowhere TestStatement":                 "no such file",
		"conformance/statement TestStatement/no case of it": "no case",
	} {
		require.ErrorContains(t, exists(name), want, name)
	}
	require.NoError(t, exists("conformance/statement TestStatement"))
}

// exists looks a test up in the sources: its function and, behind the slash, the name of its case, which must stand
// in the function as it is.
func exists(test string) error {
	folder, name, _ := strings.Cut(test, " ")
	name, sub, hasSub := strings.Cut(name, "/")
	at := filepath.Join("..", "..", filepath.FromSlash(folder))
	entries, err := os.ReadDir(at)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(at, e.Name()), nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || fn.Name.Name != name || !strings.HasPrefix(name, "Test") && !strings.HasPrefix(name, "Fuzz") {
				continue
			}
			if hasSub && !says(fn, sub) {
				return fmt.Errorf("%s has no case %q", name, sub)
			}
			return nil
		}
	}
	return fmt.Errorf("no test %s in %s", name, folder)
}

// says looks for a text among the literals of a function.
func says(fn *ast.FuncDecl, text string) (found bool) {
	ast.Inspect(fn, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			value, err := strconv.Unquote(lit.Value)
			found = found || err == nil && value == text
		}
		return !found
	})
	return found
}
