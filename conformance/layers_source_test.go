package conformance

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// module is the import path of this project; everything below it is ours.
const module = "gantry"

// source is one parsed Go file and where it stands in the tree.
type source struct {
	dir  string // slash-separated, relative to the module: "protocols/dicom"
	name string // base name: "pdu.go"
	fset *token.FileSet
	file *ast.File
}

// at names a place in the file as editors know it.
func (s source) at(pos token.Pos) string {
	return path.Join(s.dir, s.name) + ":" + strconv.Itoa(s.fset.Position(pos).Line)
}

func (s source) isTest() bool { return strings.HasSuffix(s.name, "_test.go") }

func (s source) isProgram() bool { return s.file.Name.Name == "main" }

// within reports whether the file stands in the folder or below it.
func (s source) within(folder string) bool { return below(s.dir, folder) }

func below(dir, folder string) bool { return dir == folder || strings.HasPrefix(dir, folder+"/") }

// imported is one import of a file. Room is the folder inside this module, or "" for foreign packages.
type imported struct {
	path, room string
	pos        token.Pos
}

func (s source) imports() []imported {
	var all []imported
	for _, spec := range s.file.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		room, ours := strings.CutPrefix(p, module+"/")
		if !ours {
			room = ""
		}
		all = append(all, imported{path: p, room: room, pos: spec.Pos()})
	}
	return all
}

// uses finds each mention of a function or variable of another package, called or passed as a value,
// under whatever name the package was imported.
func (s source) uses(pkg string, names ...string) []token.Pos {
	local := s.localName(pkg)
	if local == "" {
		return nil
	}
	var found []token.Pos
	ast.Inspect(s.file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if id, ok := sel.X.(*ast.Ident); ok && id.Name == local && contains(names, sel.Sel.Name) {
			found = append(found, sel.Pos())
		}
		return true
	})
	return found
}

func (s source) localName(pkg string) string {
	for _, spec := range s.file.Imports {
		if p, _ := strconv.Unquote(spec.Path.Value); p != pkg {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(pkg)
	}
	return ""
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}

// parseSource makes a source of a file's text; where is its path inside the module.
func parseSource(where string, text any) (source, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, where, text, parser.ParseComments|parser.SkipObjectResolution)
	return source{dir: path.Dir(where), name: path.Base(where), fset: fset, file: file}, err
}

// tree reads every Go file of the module. The list of pinned modules (deps.go, never built) is not a room.
func tree(t *testing.T) []source {
	t.Helper()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	var all []source
	require.NoError(t, filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != root && hidden(d.Name()):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(file) != ".go":
			return nil
		}
		where, _ := filepath.Rel(root, file)
		if where == "deps.go" {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		s, err := parseSource(filepath.ToSlash(where), text)
		all = append(all, s)
		return err
	}))
	return all
}

// hidden folders are those that the go command leaves out as well.
func hidden(name string) bool {
	return name == "testdata" || name == "vendor" || name[0] == '.' || name[0] == '_'
}
