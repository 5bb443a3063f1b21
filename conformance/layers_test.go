package conformance

import (
	"go/ast"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rule is one arrow that may not be drawn. A rule looks at one file and names what breaks it.
type rule struct {
	name  string
	about func(source) bool
	find  func(source) []string
}

// rules are the arrows of ARCHITECTURE.md. An arrow may only go down:
//
//	cmd > gateway > gateway/<room> > balancing, negotiate > protocols
//
// with fixtures and conformance beside the house: they may look at it, it may not look at them.
var rules = []rule{
	{
		name:  "protocols turn bytes into values: no network, files, log or context",
		about: code("protocols"),
		find: noImport(func(i imported) bool {
			return belowAny(i.path, "net", "os", "log", "context", "syscall", "golang.org/x/sys", "golang.org/x/net")
		}),
	},
	{
		name:  "protocols have no clock",
		about: code("protocols"),
		find: noUse("time", "Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker",
			"NewTimer"),
	},
	{
		name:  "protocols know nothing of each other or of the house",
		about: code("protocols"),
		find:  roomsOnly("protocols="),
	},
	{
		name:  "balancing needs the standard library alone",
		about: code("balancing"),
		find: noImport(func(i imported) bool {
			return strings.Contains(i.path, ".") || i.room != "" && !below(i.room, "balancing")
		}),
	},
	{
		name:  "the judge of health knows no protocol",
		about: func(s source) bool { return s.dir == "negotiate" && !s.isTest() },
		find:  roomsOnly(),
	},
	{
		name:  "a kind of check knows the judge, what kinds share, and its own protocol",
		about: func(s source) bool { return strings.HasPrefix(s.dir, "negotiate/") && !s.isTest() },
		find:  roomsOnly("negotiate=", "negotiate/internal", "protocols"),
	},
	{
		name:  "a room of the gateway does not look up at the gateway",
		about: func(s source) bool { return strings.HasPrefix(s.dir, "gateway/") && !s.isTest() },
		find:  noImport(func(i imported) bool { return i.room == "gateway" }),
	},
	{
		name: "nothing below the gateway looks up at it",
		about: func(s source) bool {
			return !s.isTest() && belowAny(s.dir, "balancing", "negotiate", "protocols", "fixtures")
		},
		find: noImport(func(i imported) bool { return below(i.room, "gateway") }),
	},
	{
		name:  "programs are not imported",
		about: func(s source) bool { return !s.within("cmd") },
		find:  noImport(func(i imported) bool { return below(i.room, "cmd") }),
	},
	{
		name:  "gnet lives in gateway/engine",
		about: func(s source) bool { return !s.within("gateway/engine") },
		find:  noImport(func(i imported) bool { return below(i.path, "github.com/panjf2000/gnet") }),
	},
	{
		name: "Prometheus lives in files called …metrics.go and in gateway/admin",
		about: func(s source) bool {
			return !s.isTest() && !strings.HasSuffix(s.name, "metrics.go") && !s.within("gateway/admin")
		},
		find: noImport(func(i imported) bool { return below(i.path, "github.com/prometheus") }),
	},
	{
		name:  "only programs end the process",
		about: library,
		find:  anyOf(noUse("os", "Exit"), noUse("log", "Fatal", "Fatalf", "Fatalln")),
	},
	{
		name:  "only programs hear signals",
		about: library,
		find:  noUse("os/signal", "Notify", "NotifyContext"),
	},
	{
		name:  "loggers are handed down, never fetched",
		about: library,
		find: anyOf(
			noUse("log/slog", "Default", "SetDefault", "Debug", "DebugContext", "Info", "InfoContext",
				"Warn", "WarnContext", "Error", "ErrorContext", "Log", "LogAttrs"),
			noImport(func(i imported) bool { return i.path == "log" })),
	},
	{
		name:  "simulated peers serve tests, programs and conformance",
		about: func(s source) bool { return !s.isTest() && !belowAny(s.dir, "fixtures", "cmd", "conformance") },
		find:  noImport(func(i imported) bool { return below(i.room, "fixtures") }),
	},
	{
		name:  "conformance is imported by nothing",
		about: func(s source) bool { return !s.within("conformance") },
		find:  noImport(func(i imported) bool { return below(i.room, "conformance") }),
	},
	{
		name:  "testify is for tests",
		about: func(s source) bool { return !s.isTest() },
		find:  noImport(func(i imported) bool { return below(i.path, "github.com/stretchr/testify") }),
	},
	{
		name:  "a failed requirement ends the test",
		about: source.isTest,
		find:  noImport(func(i imported) bool { return i.path == "github.com/stretchr/testify/assert" }),
	},
	{
		name:  "exported names are documented",
		about: func(s source) bool { return !s.isTest() && !s.isProgram() },
		find:  undocumented,
	},
}

// TestLayers holds the tree to its drawing.
func TestLayers(t *testing.T) {
	files := tree(t)
	require.NotEmpty(t, files)
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			for _, s := range files {
				for _, found := range r.check(s) {
					t.Error(found)
				}
			}
		})
	}
	t.Run("every package says once what it is for", func(t *testing.T) {
		for _, found := range packageDocs(files) {
			t.Error(found)
		}
	})
}

func (r rule) check(s source) []string {
	if !r.about(s) {
		return nil
	}
	return r.find(s)
}

// code selects the files of a room that end up in the program.
func code(room string) func(source) bool {
	return func(s source) bool { return s.within(room) && !s.isTest() }
}

// library selects what others build on: neither programs nor tests, and not this folder.
func library(s source) bool {
	return !s.isTest() && !s.isProgram() && !s.within("cmd") && !s.within("conformance")
}

func belowAny(dir string, folders ...string) bool {
	for _, folder := range folders {
		if below(dir, folder) {
			return true
		}
	}
	return false
}

func noImport(bad func(imported) bool) func(source) []string {
	return func(s source) (found []string) {
		for _, i := range s.imports() {
			if bad(i) {
				found = append(found, s.at(i.pos)+": imports "+i.path)
			}
		}
		return found
	}
}

// roomsOnly allows imports from this module only from the given rooms and from the file's own family
// (protocols/dicom/... for a file in protocols/dicom). "room=" means that package without those below it.
func roomsOnly(rooms ...string) func(source) []string {
	return func(s source) []string {
		return noImport(func(i imported) bool {
			if i.room == "" || below(i.room, s.dir) && s.dir != "negotiate" && s.dir != "protocols" {
				return false
			}
			for _, room := range rooms {
				exact, one := strings.CutSuffix(room, "=")
				if one && i.room == exact || !one && below(i.room, room) {
					return false
				}
			}
			return true
		})(s)
	}
}

func noUse(pkg string, names ...string) func(source) []string {
	return func(s source) (found []string) {
		for _, pos := range s.uses(pkg, names...) {
			found = append(found, s.at(pos)+": uses "+path.Base(pkg)+" where it may not")
		}
		return found
	}
}

func anyOf(finds ...func(source) []string) func(source) []string {
	return func(s source) (found []string) {
		for _, find := range finds {
			found = append(found, find(s)...)
		}
		return found
	}
}

// packageDocs wants exactly one package comment a package, in doc.go (a program's stands with its main).
func packageDocs(files []source) (found []string) {
	docs, rooms := map[string][]source{}, map[string]bool{}
	for _, s := range files {
		if s.isTest() {
			continue
		}
		rooms[s.dir] = true
		if s.file.Doc != nil {
			docs[s.dir] = append(docs[s.dir], s)
		}
	}
	for dir := range rooms {
		switch have := docs[dir]; {
		case len(have) == 0:
			found = append(found, dir+": has no package comment; write it in doc.go")
		case len(have) > 1:
			found = append(found, dir+": has several package comments: "+have[0].name+", "+have[1].name)
		case have[0].name != "doc.go" && !have[0].isProgram():
			found = append(found, dir+": its package comment stands in "+have[0].name+"; move it to doc.go")
		}
	}
	return found
}

// undocumented finds exported functions, methods of exported types, types, constants and variables
// without a comment. One comment above a group of constants serves the group.
func undocumented(s source) (found []string) {
	for _, decl := range s.file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && d.Doc == nil && receiverExported(d) && !knownMethod(d) {
				found = append(found, s.at(d.Pos())+": "+d.Name.Name+" has no comment")
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if name := bareName(spec); name != "" && d.Doc == nil {
					found = append(found, s.at(spec.Pos())+": "+name+" has no comment")
				}
			}
		}
	}
	return found
}

// knownMethod: the methods of error and fmt.Stringer say nothing that their names do not.
func knownMethod(d *ast.FuncDecl) bool {
	return d.Recv != nil && contains([]string{"Error", "Unwrap", "String"}, d.Name.Name)
}

func receiverExported(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if generic, ok := typ.(*ast.IndexExpr); ok {
		typ = generic.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}

// bareName is the exported name that a declaration brings in without a comment of its own.
func bareName(spec ast.Spec) string {
	switch d := spec.(type) {
	case *ast.TypeSpec:
		if d.Name.IsExported() && d.Doc == nil && d.Comment == nil {
			return d.Name.Name
		}
	case *ast.ValueSpec:
		if d.Names[0].IsExported() && d.Doc == nil && d.Comment == nil {
			return d.Names[0].Name
		}
	}
	return ""
}
