package childtest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strings"
	"testing"
)

// parse returns a file of the package.
func parse(t *testing.T, name string) *ast.File {
	t.Helper()
	source, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// caseNames are the cases that the package's documentation lists.
func caseNames(t *testing.T) (names []string) {
	t.Helper()
	for _, match := range regexp.MustCompile(`(?m)^  - "(\w+)": `).FindAllStringSubmatch(parse(t, "doc.go").Doc.Text(), -1) {
		names = append(names, match[1])
	}
	if len(names) != 10 {
		t.Fatalf("the cases are %q", names)
	}
	return names
}

func TestEveryGuaranteeIsTheNameOfATest(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{}
	for _, decl := range parse(t, "childtest_test.go").Decls {
		if f, ok := decl.(*ast.FuncDecl); ok {
			tests[f.Name.Name] = true
		}
	}
	_, list, _ := strings.Cut(parse(t, "doc.go").Doc.Text(), "# Guarantees")
	guarantees := strings.Split(list, "\n  - ")[1:]
	if len(guarantees) < 5 {
		t.Errorf("only %d guarantees were found in the package doc", len(guarantees))
	}
	for _, guarantee := range guarantees {
		name := "Test"
		for word := range strings.FieldsSeq(strings.Trim(guarantee, ".\n")) {
			name += strings.ToUpper(word[:1]) + word[1:]
		}
		if !tests[name] {
			t.Errorf("no %s", name)
		}
	}
}
