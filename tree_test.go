package coppice_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
)

// source is one Go file of the repository, whatever system it is built for.
type source struct {
	path string // from the root, with slashes
	text string
	ast  *ast.File
	fset *token.FileSet
}

func (s source) dir() string  { return path.Dir(s.path) }
func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// at is the place of n for a message.
func (s source) at(n ast.Node) string { return s.fset.Position(n.Pos()).String() }

// repository reads every Go file of the working tree, those of nested modules
// too. Reading them here also makes the cache of go test notice a change in
// any of them.
func repository(t *testing.T) []source {
	t.Helper()
	var files []source
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && outside(d.Name()):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		files = append(files, parse(t, name, string(text)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// outside says whether the go command ignores a folder of that name.
func outside(name string) bool {
	return name == "testdata" || name == "vendor" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

func parse(t *testing.T, name, text string) source {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return source{path: name, text: text, ast: file, fset: fset}
}

// report makes each offence an error of its own.
func report(t *testing.T, offences []string) {
	t.Helper()
	for _, offence := range offences {
		t.Error(offence)
	}
}

// wantOffences checks a check: it has to find exactly n offences.
func wantOffences(t *testing.T, got []string, n int) {
	t.Helper()
	if len(got) != n {
		t.Errorf("got %d offences %q, want %d", len(got), got, n)
	}
}
