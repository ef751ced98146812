package oteltrace

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
	if len(guarantees) < 8 {
		t.Errorf("only %d guarantees were found in the package doc", len(guarantees))
	}
	for _, guarantee := range guarantees {
		if name := testName(guarantee); !tests[name] {
			t.Errorf("no %s", name)
		}
	}
}

// testName is the name of the test of a guarantee: its words up to the colon
// or the period.
func testName(guarantee string) string {
	sentence := strings.NewReplacer("'", "", ",", "").Replace(guarantee)
	if i := strings.IndexAny(sentence, ":."); i >= 0 {
		sentence = sentence[:i]
	}
	name := "Test"
	for word := range strings.FieldsSeq(sentence) {
		name += strings.ToUpper(word[:1]) + word[1:]
	}
	return name
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
