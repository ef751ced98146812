package coppice_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// maxLines is the length beyond which a file holds more than one noun.
const maxLines = 400

var (
	// leftover finds the words of unfinished work. They are put together here
	// so that this file does not contain them.
	leftover = regexp.MustCompile(`\b(` + strings.Join([]string{"TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"}, "|") + `)\b`)

	// output finds the comment that go test compares with what an example prints.
	output = regexp.MustCompile(`(?i)^\s*(unordered )?output:`)

	// now finds the functions of package time that ask a clock.
	now = []string{"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until"}

	// topLevel is what may lie at the root. A folder ends in a slash.
	topLevel = []string{
		"strategies/", "child/", "supervisor/", "metrics/", "examples/", "docs/",
		"go.mod", "go.sum", "doc.go", "README.md", "CHANGELOG.md", "LICENSE",
		"Makefile", ".golangci.yml", ".gitignore", ".ci/", "*_test.go",
	}

	// direct are the modules the library may require by itself. A further one
	// needs a reason; what only an example needs goes into a module of its own.
	direct = []string{
		"github.com/thejerf/suture/v4", "github.com/prometheus/client_golang", "github.com/prometheus/procfs",
		"golang.org/x/sys", "go.uber.org/goleak", "github.com/mattn/go-shellwords",
		"github.com/DeRuina/timberjack",
	}
)

func TestFilesAreShort(t *testing.T) {
	t.Parallel()
	for _, file := range repository(t) {
		report(t, tooLong(file))
	}
}

func TestNothingIsLeftOver(t *testing.T) {
	t.Parallel()
	for _, file := range repository(t) {
		report(t, leftovers(file))
	}
}

func TestEveryExpectedOutputIsChecked(t *testing.T) {
	t.Parallel()
	for _, file := range repository(t) {
		report(t, uncheckedOutputs(file))
	}
}

func TestStrategiesHaveNoGoroutineAndNoClock(t *testing.T) {
	t.Parallel()
	for _, file := range repository(t) {
		if match("strategies/...", file.dir()) && !file.isTest() {
			report(t, impurities(file))
		}
	}
}

func TestTopLevelHoldsWhatTheDesignLists(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	ignored, err := os.ReadFile(".gitignore")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() {
			name += "/"
		}
		names = append(names, name)
	}
	report(t, strays(names, strings.Fields(string(ignored))))
}

func TestDirectDependenciesAreTheAgreedOnes(t *testing.T) {
	t.Parallel()
	// The go command reads go.mod in a process of its own; reading it here
	// makes the cache of go test notice a change.
	if _, err := os.ReadFile("go.mod"); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json").Output()
	if err != nil {
		t.Fatal(err)
	}
	report(t, unagreed(t, out))
}

func tooLong(f source) []string {
	lines := strings.Count(f.text, "\n")
	if f.isTest() || lines <= maxLines {
		return nil
	}
	return []string{fmt.Sprintf("%s has %d lines, at most %d are read with pleasure", f.path, lines, maxLines)}
}

func leftovers(f source) []string {
	var offences []string
	for i, line := range strings.Split(f.text, "\n") {
		if word := leftover.FindString(line); word != "" {
			offences = append(offences, fmt.Sprintf("%s:%d: %s is left over", f.path, i+1, word))
		}
	}
	return offences
}

// uncheckedOutputs lists the expected outputs that go test does not look at:
// it does so only for the last comment in an example, in a test file.
func uncheckedOutputs(f source) []string {
	var offences []string
	for _, decl := range f.ast.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		inside := commentsIn(f, fn.Body)
		example := f.isTest() && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Example")
		for i, c := range inside {
			if output.MatchString(c.Text()) && (!example || i < len(inside)-1) {
				offences = append(offences, fmt.Sprintf("%s: go test never checks this output in %s", f.at(c), fn.Name.Name))
			}
		}
	}
	return offences
}

func commentsIn(f source, n ast.Node) []*ast.CommentGroup {
	var inside []*ast.CommentGroup
	for _, c := range f.ast.Comments {
		if n.Pos() <= c.Pos() && c.End() <= n.End() {
			inside = append(inside, c)
		}
	}
	return inside
}

// impurities lists what makes a decision depend on more than its arguments.
func impurities(f source) []string {
	var offences []string
	note := func(n ast.Node, what string) {
		offences = append(offences, fmt.Sprintf("%s: a strategy has %s", f.at(n), what))
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			note(n, "no goroutine")
		case *ast.ChanType:
			note(n, "no channel")
		case *ast.SelectorExpr:
			if pkg, ok := n.X.(*ast.Ident); ok && pkg.Name == "time" && slices.Contains(now, n.Sel.Name) {
				note(n, "no clock: time comes in as a value")
			}
		}
		return true
	})
	return offences
}

// strays lists the names at the top level that are neither agreed nor ignored.
func strays(names, ignored []string) []string {
	var offences []string
	for _, name := range names {
		known := func(pattern string) bool {
			ok, err := path.Match(pattern, name)
			return ok && err == nil
		}
		// .git is a file where the clone is a worktree of another.
		if strings.TrimSuffix(name, "/") != ".git" && !slices.ContainsFunc(topLevel, known) && !slices.ContainsFunc(ignored, known) {
			offences = append(offences, name+" has no place at the top level")
		}
	}
	return offences
}

// unagreed lists the direct requirements in go.mod that nobody agreed to.
func unagreed(t *testing.T, mod []byte) []string {
	t.Helper()
	var file struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(mod, &file); err != nil {
		t.Fatal(err)
	}
	var offences []string
	for _, r := range file.Require {
		if !r.Indirect && !slices.Contains(direct, r.Path) {
			offences = append(offences, "go.mod requires "+r.Path+", which is not among the agreed dependencies")
		}
	}
	return offences
}

func TestHouseChecksFindOffences(t *testing.T) {
	t.Parallel()
	const comment = "// " + "Output: 1\n"
	checks := map[string]struct {
		check      func(source) []string
		path, body string
		want       int
	}{
		"a long file":                     {tooLong, "p/p.go", strings.Repeat("\n", maxLines), 1},
		"a long test":                     {tooLong, "p/p_test.go", strings.Repeat("\n", maxLines), 0},
		"a leftover":                      {leftovers, "p/p.go", "// FIX" + "ME: later", 1},
		"a word that contains one":        {leftovers, "p/p.go", "// HA" + "CKNEY", 0},
		"an output in an example":         {uncheckedOutputs, "p/p_test.go", "func ExampleF() {\n" + comment + "}", 0},
		"an output in a test":             {uncheckedOutputs, "p/p_test.go", "func TestF() {\n" + comment + "}", 1},
		"an output before other comments": {uncheckedOutputs, "p/p_test.go", "func ExampleF() {\n" + comment + "f() // f\n}", 1},
		"an example outside a test file":  {uncheckedOutputs, "p/p.go", "func ExampleF() {\n" + comment + "}", 1},
		"a goroutine":                     {impurities, "strategies/s.go", "func F() { go F() }", 1},
		"a channel":                       {impurities, "strategies/s.go", "type c chan int", 1},
		"a clock":                         {impurities, "strategies/s.go", "var t = time.Now()", 1},
		"a duration":                      {impurities, "strategies/s.go", "const d = time.Second", 0},
	}
	for name, tt := range checks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantOffences(t, tt.check(parse(t, tt.path, "package p\n\n"+tt.body)), tt.want)
		})
	}
	t.Run("a stray at the top level", func(t *testing.T) {
		t.Parallel()
		names := []string{"child/", ".git", ".git/", "a_test.go", "x.test", "util/", "child", "notes.txt"}
		wantOffences(t, strays(names, []string{"*.test"}), 3)
	})
	t.Run("a dependency nobody agreed to", func(t *testing.T) {
		t.Parallel()
		mod := `{"Require": [{"Path": "a.example/x"}, {"Path": "a.example/y", "Indirect": true}, {"Path": "golang.org/x/sys"}]}`
		wantOffences(t, unagreed(t, []byte(mod)), 1)
	})
}
