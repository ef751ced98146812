package supervisortest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEveryGuaranteeIsTheNameOfATest(t *testing.T) {
	t.Parallel()
	tests := testNames(t)
	source, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", source, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(file.Doc.Text(), "# Guarantees")
	guarantees := strings.Split(list, "\n  - ")[1:]
	if len(guarantees) < 10 {
		t.Errorf("only %d guarantees were found in the package doc", len(guarantees))
	}
	for _, guarantee := range guarantees {
		name := "Test"
		sentence := strings.NewReplacer(",", "", ":", "", ".", "").Replace(guarantee)
		for word := range strings.FieldsSeq(sentence) {
			name += strings.ToUpper(word[:1]) + word[1:]
		}
		if !tests[name] {
			t.Errorf("no %s", name)
		}
	}
}

func testNames(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok {
				names[f.Name.Name] = true
			}
		}
	}
	return names
}

// What comes through other packages is looked at by the test of the imports of
// the whole module.
func TestAProgramThatUsesItIsFreeOfPackageTesting(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	imports := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			imports++
			if strings.HasPrefix(spec.Path.Value, `"testing`) {
				t.Errorf("%s imports %s", name, spec.Path.Value)
			}
		}
	}
	if imports == 0 {
		t.Error("no imports were found")
	}
}
