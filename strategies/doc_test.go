package strategies_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// parse returns the files of the package whose names match.
func parse(t *testing.T, match func(name string) bool) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !match(name) {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

func isTest(name string) bool { return strings.HasSuffix(name, "_test.go") }
func isCode(name string) bool { return !isTest(name) }

func TestEveryGuaranteeIsTheNameOfATest(t *testing.T) {
	tests := map[string]bool{}
	for _, file := range parse(t, isTest) {
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok {
				tests[f.Name.Name] = true
			}
		}
	}
	doc := parse(t, func(name string) bool { return name == "doc.go" })[0].Doc.Text()
	_, list, _ := strings.Cut(doc, "# Guarantees")
	guarantees := strings.Split(list, "\n  - ")[1:]
	for _, sentence := range guarantees {
		name := "Test"
		for word := range strings.FieldsSeq(strings.TrimRight(strings.TrimSpace(sentence), ".")) {
			name += strings.ToUpper(word[:1]) + word[1:]
		}
		if !tests[name] {
			t.Errorf("no %s", name)
		}
	}
	if len(guarantees) < 30 {
		t.Errorf("only %d guarantees were found in the package doc", len(guarantees))
	}
}

func TestThePackageKnowsNoGoroutineLockClockOrRandomSource(t *testing.T) {
	allowed := []string{"errors", "fmt", "math", "strconv", "strings", "text/tabwriter", "time"}
	// Of package time, only what is arithmetic.
	arithmetic := []string{"Duration", "ParseDuration", "Nanosecond", "Second", "Minute", "Hour"}
	for _, file := range parse(t, isCode) {
		for _, spec := range file.Imports {
			if path, _ := strconv.Unquote(spec.Path.Value); !slices.Contains(allowed, path) {
				t.Errorf("it imports %s", path)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt, *ast.ChanType:
				t.Errorf("it has a %T", n)
			case *ast.SelectorExpr:
				if pkg, ok := n.X.(*ast.Ident); ok && pkg.Name == "time" && !slices.Contains(arithmetic, n.Sel.Name) {
					t.Errorf("it uses time.%s", n.Sel.Name)
				}
			}
			return true
		})
	}
}
