package machine_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The machine may import errors, numbers, slices, time as a value, and what it
// decides about. Locks, contexts, a system and chance are missing on purpose.
var pure = []string{
	"errors", "math", "slices", "time",
	"github.com/coppice-go/coppice/child", "github.com/coppice-go/coppice/strategies",
}

// clocks are what of package time is not a value.
var clocks = []string{"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until"}

func TestTheMachineIsPure(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			files++
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, what := range impurities(t, name, source) {
				t.Error(what)
			}
		}
	}
	if files == 0 {
		t.Error("no file was looked at")
	}
}

// impurities lists what in a file blocks, starts, locks, or asks a clock.
func impurities(t *testing.T, name string, source []byte) (found []string) {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	say := func(n ast.Node, what string) {
		found = append(found, set.Position(n.Pos()).String()+": "+what)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			if path, _ := strconv.Unquote(n.Path.Value); !slices.Contains(pure, path) || n.Name != nil {
				say(n, "imports "+n.Path.Value)
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clocks, n.Sel.Name) {
				say(n, "asks a clock with time."+n.Sel.Name)
			}
		case *ast.GoStmt:
			say(n, "starts a goroutine")
		case *ast.ChanType, *ast.SendStmt, *ast.SelectStmt:
			say(n, "has a channel")
		}
		return true
	})
	return found
}

func TestWhatIsImpureIsFound(t *testing.T) {
	source := `package p
import ("sync"; "time"; clock "time")
var c chan int
func f() { go f(); c <- 1; select {}; _ = time.Now; _ = time.Second }`
	got := strings.Join(impurities(t, "p.go", []byte(source)), "\n")
	want := `p.go:2:9: imports "sync"
p.go:2:25: imports "time"
p.go:3:7: has a channel
p.go:4:12: starts a goroutine
p.go:4:20: has a channel
p.go:4:28: has a channel
p.go:4:43: asks a clock with time.Now`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
