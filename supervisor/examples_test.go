package supervisor_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"testing"
)

// withoutExample are the methods that a user does not call: formats and errors
// call them, and other supervisors.
var withoutExample = []string{
	"Error", "Unwrap", "String", "GoString", "MarshalText", "UnmarshalText", "LogValue", "Data", // how a value is shown
	"ChildSpec", "Announces", // how a supervisor is a child
}

func TestWhatAUserCallsHasAnExample(t *testing.T) {
	t.Parallel()
	p := packageDoc(t)
	if len(p.Examples) == 0 {
		t.Error("the package has no example")
	}
	funcs, types := p.Funcs, map[string]bool{}
	for _, typ := range p.Types {
		types[typ.Name] = len(typ.Examples) > 0
		funcs = append(append(funcs, typ.Funcs...), typ.Methods...)
	}
	if len(funcs) < 40 || len(types) < 15 {
		t.Fatalf("only %d functions and %d types were found", len(funcs), len(types))
	}
	for name, shown := range types {
		if !shown {
			t.Errorf("type %s has no example", name)
		}
	}
	for _, f := range funcs {
		excused := f.Recv != "" && slices.Contains(withoutExample, f.Name)
		if len(f.Examples) == 0 && !excused {
			t.Errorf("%s%s has no example", f.Recv, "."+f.Name)
		}
	}
}

// An example without an output is compiled and not run.
func TestEveryExampleIsRun(t *testing.T) {
	t.Parallel()
	_, files := sources(t)
	examples := doc.Examples(files...)
	for _, e := range examples {
		if e.Output == "" && !e.EmptyOutput || e.Doc == "" {
			t.Errorf("Example%s has no output, or does not say what it shows", e.Name)
		}
	}
	if len(examples) < 40 {
		t.Errorf("only %d examples were found", len(examples))
	}
}

// packageDoc is the documentation of this package, with its examples.
func packageDoc(t *testing.T) *doc.Package {
	t.Helper()
	fset, files := sources(t)
	p, err := doc.NewFromFiles(fset, files, "github.com/coppice-go/coppice/supervisor")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// sources are the files of this folder.
func sources(t *testing.T) (*token.FileSet, []*ast.File) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	files := make([]*ast.File, len(names))
	for i, name := range names {
		if files[i], err = parser.ParseFile(fset, name, nil, parser.ParseComments); err != nil {
			t.Fatal(err)
		}
	}
	return fset, files
}
