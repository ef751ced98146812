package supervisor_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

func parse(t *testing.T, name string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// testNames are the tests in the files that match.
func testNames(t *testing.T, pattern string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, name := range files {
		for _, decl := range parse(t, name).Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
				names[f.Name.Name] = true
			}
		}
	}
	return names
}

// guarantees are the names of the tests that a package doc promises: for each
// sentence its words up to the colon or the period.
func guarantees(t *testing.T, file string) (names []string) {
	t.Helper()
	_, list, _ := strings.Cut(parse(t, file).Doc.Text(), "# Guarantees")
	for _, sentence := range strings.Split(list, "\n  - ")[1:] {
		if i := strings.IndexAny(sentence, ":."); i >= 0 {
			sentence = sentence[:i]
		}
		name := "Test"
		for word := range strings.FieldsSeq(strings.NewReplacer("'", "", ",", "").Replace(sentence)) {
			name += strings.ToUpper(word[:1]) + word[1:]
		}
		names = append(names, name)
	}
	return names
}

func TestEveryGuaranteeIsTheNameOfATest(t *testing.T) {
	tests, kept := testNames(t, "*_test.go"), testNames(t, "guarantee*_test.go")
	promised := guarantees(t, "doc.go")
	if len(promised) < 20 {
		t.Errorf("only %d guarantees were found in the package doc", len(promised))
	}
	for _, name := range promised {
		if !tests[name] {
			t.Errorf("no %s", name)
		}
		delete(kept, name)
	}
	for name := range kept {
		t.Errorf("%s is not in the package doc", name)
	}
}
