package coppice_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// known are the packages that a piece of code in a document may use without
// importing them.
var known = []string{
	"context", "encoding/json", "errors", "fmt", "io", "log/slog", "net", "net/http", "os", "os/signal", "syscall",
	"testing", "testing/synctest", "time",
	module + "/child", module + "/child/process", module + "/strategies", module + "/supervisor",
	module + "/supervisor/supervisortest", module + "/child/probe", module + "/child/isolated", module + "/metrics",
	module + "/supervisor/systemd", "log", "github.com/thejerf/suture/v4",
}

// given are the names that a piece of code in a document may use without
// declaring them.
const given = `
var (
	ctx       context.Context
	t         *testing.T
	spec      supervisor.Spec
	pool      supervisor.Spec
	sup       *supervisor.Supervisor
	ref       supervisor.Ref
	failsOnce any

	j, job, helper, orders, billing, report child.Service
)

type (
	Client struct{}
	Job    struct{ name string }
)

func (Job) Serve(context.Context) error { return nil }
`

func TestCodeInDocumentsCompiles(t *testing.T) {
	t.Parallel()
	repository(t) // so that a cached result is not older than the files
	documents, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	c := newCompiler(t)
	for _, name := range append(documents, "README.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		report(t, c.document(name, string(text)))
	}
}

func TestTheGuideFromSutureLeavesNothingOut(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("docs/FROM_SUTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	suture, err := newCompiler(t).importer.Import("github.com/thejerf/suture/v4")
	if err != nil {
		t.Fatal(err)
	}
	names := exported(suture.Scope())
	if len(names) < 50 {
		t.Fatalf("suture has %d names; nothing was checked", len(names))
	}
	for _, name := range names {
		if !regexp.MustCompile(`\b` + name + `\b`).Match(text) {
			t.Errorf("what takes the place of suture's %s?", name)
		}
	}
}

// exported are the exported names of a package, those of the methods of its
// types, and those of the fields of its Spec.
func exported(scope *types.Scope) (names []string) {
	note := func(name string) {
		if ast.IsExported(name) {
			names = append(names, name)
		}
	}
	for _, name := range scope.Names() {
		note(name)
		typ := scope.Lookup(name).Type()
		methods := types.NewMethodSet(types.NewPointer(typ))
		for i := range methods.Len() {
			note(methods.At(i).Obj().Name())
		}
		if fields, ok := typ.Underlying().(*types.Struct); ok && name == "Spec" {
			for i := range fields.NumFields() {
				note(fields.Field(i).Name())
			}
		}
	}
	return names
}

// block is a piece of code in a document.
type block struct {
	text string
	line int // of its first line
}

// sections are the blocks of Go under each heading that has some.
func sections(document string) [][]block {
	var all [][]block
	var open *block
	fresh := true
	for i, line := range strings.Split(document, "\n") {
		switch fence := strings.TrimSpace(line); {
		case open == nil && fence == "```go":
			open = &block{line: i + 2}
		case open != nil && fence == "```":
			if fresh {
				all, fresh = append(all, nil), false
			}
			all[len(all)-1] = append(all[len(all)-1], *open)
			open = nil
		case open != nil:
			open.text += line + "\n"
		case strings.HasPrefix(line, "#"):
			fresh = true
		}
	}
	return all
}

// piece is the name of a file that is put together here and is no whole program.
const piece = "piece"

// compiler checks the types in code, with the packages that this module needs.
type compiler struct {
	fset     *token.FileSet
	importer types.Importer
}

func newCompiler(t *testing.T) *compiler {
	t.Helper()
	args := append([]string{"list", "-export", "-deps", "-buildvcs=false", "-f", "{{.ImportPath}}\t{{.Export}}"}, known...)
	out, err := exec.CommandContext(t.Context(), "go", args...).Output()
	if err != nil {
		t.Fatal("go list: ", err)
	}
	export := map[string]string{}
	for line := range strings.Lines(string(out)) {
		importPath, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		export[importPath] = file
	}
	fset := token.NewFileSet()
	return &compiler{fset, importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		data, err := os.ReadFile(export[path])
		return io.NopCloser(bytes.NewReader(data)), err
	})}
}

// document lists the mistakes in the code of a document. The blocks of one
// section belong together: a function in one may be called in another.
func (c *compiler) document(name, text string) (offences []string) {
	for _, blocks := range sections(text) {
		files := []*ast.File{c.mustParse(given)}
		for _, b := range blocks {
			file, err := c.parse(name, b)
			if err != nil {
				offences = append(offences, err.Error())
				continue
			}
			files = append(files, file)
		}
		config := types.Config{Importer: c.importer, Error: func(err error) {
			// Soft is what is declared or imported and not used: a piece of a
			// program need not use all that it names.
			if e, ok := err.(types.Error); !ok || !e.Soft || c.fset.PositionFor(e.Pos, false).Filename != piece {
				offences = append(offences, err.Error())
			}
		}}
		_, _ = config.Check("main", c.fset, files, nil) // its errors are listed already
	}
	return offences
}

// parse reads a block: a whole program, declarations, or statements, which may
// return an error.
func (c *compiler) parse(name string, b block) (*ast.File, error) {
	at := fmt.Sprintf("\n//line %s:%d\n", name, b.line)
	if strings.HasPrefix(b.text, "package ") {
		return parser.ParseFile(c.fset, name, at[1:]+b.text, parser.SkipObjectResolution)
	}
	if file, err := parser.ParseFile(c.fset, piece, head()+at+b.text, parser.SkipObjectResolution); err == nil {
		return file, nil
	}
	return parser.ParseFile(c.fset, piece, head()+"func _() (_ error) {"+at+b.text+"\nreturn\n}\n", parser.SkipObjectResolution)
}

func (c *compiler) mustParse(text string) *ast.File {
	file, err := parser.ParseFile(c.fset, piece, head()+text, parser.SkipObjectResolution)
	if err != nil {
		panic(err)
	}
	return file
}

// head is the beginning of a file that imports what is known.
func head() string { return "package main\nimport (\n\"" + strings.Join(known, "\"\n\"") + "\"\n)\n" }

func TestDocumentCheckFindsOffences(t *testing.T) {
	t.Parallel()
	c := newCompiler(t)
	const fence = "```"
	tests := map[string]struct {
		code string
		want int
	}{
		"a statement":                    {"fmt.Println(ctx)", 0},
		"a name that is given to nobody": {"fmt.Println(nobody)", 1},
		"a field that is not there":      {"_ = child.Spec{Nmae: \"a\"}", 1},
		"a syntax error":                 {"if {", 1},
		"a return of an error":           {"return errors.New(\"a\")", 0},
		"a variable without a use":       {"a := 1", 0},
		"a declaration":                  {"func f() int { return 1 }", 0},
		"a wrong declaration":            {"func f() int { return \"\" }", 1},
		"a program":                      {"package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println() }", 0},
		"a program without its import":   {"package main\n\nfunc main() { fmt.Println() }", 1},
		"a program with one too many":    {"package main\n\nimport (\n\"fmt\"\n\"io\"\n)\n\nfunc main() { fmt.Println() }", 1},
		"another block of the section":   {"f()\n" + fence + "\ntext\n" + fence + "go\nfunc f() {}", 0},
		"a block of another section":     {"f()\n" + fence + "\n# Title\n" + fence + "go\nfunc f() {}", 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			wantOffences(t, c.document("d.md", "# Title\n"+fence+"go\n"+tt.code+"\n"+fence+"\n"), tt.want)
		})
	}
	t.Run("the line is that of the document", func(t *testing.T) {
		got := c.document("d.md", "# Title\n\n"+fence+"go\nnobody()\n"+fence+"\n")
		if len(got) != 1 || !strings.HasPrefix(got[0], "d.md:4:") {
			t.Errorf("got %q", got)
		}
	})
}
