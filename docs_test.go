package coppice_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"strings"
	"testing"
)

func TestEveryPackageHasADocComment(t *testing.T) {
	t.Parallel()
	report(t, undocumentedPackages(repository(t)))
}

func TestEveryExportedNameIsDocumented(t *testing.T) {
	t.Parallel()
	for _, file := range repository(t) {
		report(t, undocumentedNames(file))
	}
}

// undocumentedPackages lists the folders in which no file has a package
// comment. A folder that holds only tests may say there what they are for.
func undocumentedPackages(files []source) []string {
	onlyTests := map[string]bool{}
	for _, f := range files {
		if _, known := onlyTests[f.dir()]; !known || !f.isTest() {
			onlyTests[f.dir()] = f.isTest()
		}
	}
	documented := map[string]bool{}
	for _, f := range files {
		if f.isTest() == onlyTests[f.dir()] && says(f.ast.Doc) {
			documented[f.dir()] = true
		}
	}
	var offences []string
	for dir := range onlyTests {
		if !documented[dir] {
			offences = append(offences, dir+": no file has a package comment")
		}
	}
	return offences
}

// undocumentedNames lists the exported names of a file that have no comment.
// Programs and internal packages export nothing to anybody.
func undocumentedNames(f source) []string {
	internal := strings.Contains("/"+f.dir()+"/", "/internal/")
	if f.isTest() || internal || f.ast.Name.Name == "main" {
		return nil
	}
	d := &docCheck{file: f}
	for _, decl := range f.ast.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Recv == nil || ast.IsExported(receiver(decl)) {
				d.want(decl.Name, decl.Doc)
			}
		case *ast.GenDecl:
			d.general(decl)
		}
	}
	return d.offences
}

type docCheck struct {
	file     source
	offences []string
}

// want notes an offence if name is exported and none of the comments says
// anything.
func (d *docCheck) want(name *ast.Ident, comments ...*ast.CommentGroup) {
	if !name.IsExported() {
		return
	}
	for _, c := range comments {
		if says(c) {
			return
		}
	}
	d.offences = append(d.offences, fmt.Sprintf("%s: %s has no comment", d.file.at(name), name.Name))
}

func (d *docCheck) general(decl *ast.GenDecl) {
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.ValueSpec:
			for _, name := range spec.Names {
				d.want(name, decl.Doc, spec.Doc, spec.Comment)
			}
		case *ast.TypeSpec:
			comments := []*ast.CommentGroup{spec.Doc, spec.Comment}
			if decl.Lparen == token.NoPos {
				comments = append(comments, decl.Doc)
			}
			d.want(spec.Name, comments...)
			if spec.Name.IsExported() {
				d.members(spec.Type)
			}
		}
	}
}

// members checks the fields and methods in a type, however deep they are
// nested. An embedded type is explained where it is declared.
func (d *docCheck) members(typ ast.Expr) {
	ast.Inspect(typ, func(n ast.Node) bool {
		var list *ast.FieldList
		switch n := n.(type) {
		case *ast.StructType:
			list = n.Fields
		case *ast.InterfaceType:
			list = n.Methods
		default:
			return true
		}
		for _, field := range list.List {
			for _, name := range field.Names {
				d.want(name, field.Doc, field.Comment)
			}
		}
		return true
	})
}

// says is whether a comment has words in it: a directive alone has none.
func says(c *ast.CommentGroup) bool { return strings.TrimSpace(c.Text()) != "" }

// receiver is the name of the type that a method belongs to.
func receiver(decl *ast.FuncDecl) string {
	typ := decl.Recv.List[0].Type
	for {
		switch t := typ.(type) {
		case *ast.StarExpr:
			typ = t.X
		case *ast.ParenExpr:
			typ = t.X
		case *ast.IndexExpr:
			typ = t.X
		case *ast.IndexListExpr:
			typ = t.X
		case *ast.Ident:
			return t.Name
		default:
			return ""
		}
	}
}

func TestDocCheckFindsOffences(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		code string
		want int
	}{
		"a bare function":                         {"func F() {}", 1},
		"a function with a comment":               {"// F does.\nfunc F() {}", 0},
		"a directive is no comment":               {"//go:noinline\nfunc F() {}", 1},
		"a bare method":                           {"// T is.\ntype T int\nfunc (t *T) M() {}", 1},
		"a bare method of a generic type":         {"// T is.\ntype T[A, B any] struct{}\nfunc (t *T[A, B]) M() {}", 1},
		"a method of an unexported type":          {"type t int\nfunc (t) M() {}", 0},
		"a bare type":                             {"type T int", 1},
		"a bare type in a group":                  {"// Types.\ntype (\n\tT int\n)", 1},
		"a bare constant":                         {"const C = 1", 1},
		"constants under a comment on the group":  {"// Cs are.\nconst (\n\tC = 1\n\tD = 2\n)", 0},
		"constants with line comments":            {"const (\n\tC = 1 // one\n\tD = 2\n)", 1},
		"a bare variable":                         {"var A, B int", 2},
		"a bare field":                            {"// T is.\ntype T struct{ F int }", 1},
		"a field with a line comment":             {"// T is.\ntype T struct {\n\tF int // an f\n}", 0},
		"fields on one line under one comment":    {"// T is.\ntype T struct {\n\t// F and G are.\n\tF, G int\n}", 0},
		"a field after a documented one":          {"// T is.\ntype T struct {\n\t// F is.\n\tF int\n\tG int\n}", 1},
		"a field in a nested struct":              {"// T is.\ntype T struct {\n\t// F is.\n\tF struct{ G int }\n}", 1},
		"an embedded type":                        {"// T is.\ntype T struct{ error }", 0},
		"a bare method of an interface":           {"// I is.\ntype I interface{ M() }", 1},
		"an unexported type's fields are its own": {"type t struct{ F int }", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantOffences(t, undocumentedNames(parse(t, "p/p.go", "package p\n\n"+tt.code)), tt.want)
			wantOffences(t, undocumentedNames(parse(t, "p/internal/p.go", "package p\n\n"+tt.code)), 0)
		})
	}
	t.Run("a package comment in a test does not count beside code", func(t *testing.T) {
		t.Parallel()
		code, test := parse(t, "p/p.go", "package p"), parse(t, "p/p_test.go", "// Package p.\npackage p")
		wantOffences(t, undocumentedPackages([]source{code, test}), 1)
		wantOffences(t, undocumentedPackages([]source{test, code}), 1)
		wantOffences(t, undocumentedPackages([]source{test}), 0)
	})
}
