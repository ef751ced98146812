package coppice_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/coppice-go/coppice"

// platforms are those whose files are looked at: an arrow that only a file for
// Windows draws is an arrow.
var platforms = []string{"linux/amd64", "linux/arm64", "darwin/arm64", "windows/amd64", "freebsd/amd64"}

// floor is a storey of the house: what the packages that match it may import
// of the module's own packages. Patterns are those of the go command, from the
// root of the module; the first floor that matches a package is its floor.
// Beyond this list every package may import what lies below itself in its own
// internal folder.
type floor struct {
	pattern string
	may     []string
	why     string
}

var house = []floor{
	{".", nil, "the root package is only documentation"},
	{"strategies/...", nil, "strategies are pure decisions and stand at the bottom"},
	{"child", []string{"strategies"}, "child is the contract; what fulfils it stands above it"},
	{"child/probe/...", []string{"child", "child/process", "strategies"}, "a probe runs a program as a process, and knows no other kind of child"},
	{"child/isolated", []string{"child", "child/process", "strategies"}, "an isolated function is a process and knows no other kind of child"},
	{"child/...", []string{"child", "child/internal/...", "strategies"}, "the kinds of children do not know each other, nor who supervises them"},
	{"supervisor", []string{"child", "strategies"}, "the supervisor knows the contract of a child and no kind of child"},
	{"supervisor/supervisortest", []string{"supervisor", "child", "strategies"}, "what helps users' tests sees what users see"},
	{"supervisor/...", []string{"supervisor", "supervisor/internal/...", "child", "strategies"}, "the supervisor knows the contract of a child and no kind of child"},
	{"metrics/...", []string{"metrics/...", "supervisor/...", "child/...", "strategies/..."}, "metrics look at the library and not at programs that use it"},
	{"examples/...", []string{"./..."}, "examples are programs and may use everything"},
}

// ban is what the packages that match a pattern must not depend on, directly or
// through others.
type ban struct {
	pattern string
	never   []string
	why     string
}

var bans = []ban{
	{"child", []string{"net/http", "os/exec", "github.com/prometheus/..."}, "the contract of a child is free of processes, HTTP and Prometheus"},
	{"child/...", []string{"github.com/prometheus/client_golang/..."}, "only metrics knows Prometheus"},
	{"supervisor/supervisortest", []string{"testing/..."}, "a program that uses it is free of package testing"},
	{"supervisor/...", []string{
		"net/http", "os/exec", "github.com/prometheus/...", module + "/metrics/...",
		module + "/child/process/...", module + "/child/isolated/...", module + "/child/probe/...",
	}, "the supervisor does not know what a process is, nor HTTP, nor Prometheus"},
}

// pure is what strategies may import: errors, text, numbers and time. Whatever
// brings goroutines, locks, a system or chance is missing on purpose.
var pure = []string{
	"bytes", "cmp", "encoding", "encoding/json", "errors", "fmt", "iter", "maps", "math", "math/bits",
	"slices", "sort", "strconv", "strings", "text/...", "time", "unicode", "unicode/utf8", "unicode/utf16",
}

// listed is what go list says about a package.
type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func TestImportsRunDownwardsOnly(t *testing.T) {
	t.Parallel()
	repository(t) // so that a cached result is not older than the files
	for _, platform := range platforms {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			packages := list(t, platform)
			if len(packages) < 2 {
				t.Fatalf("go list names %d packages; nothing was checked", len(packages))
			}
			for _, p := range packages {
				report(t, arrows(p))
			}
		})
	}
}

func list(t *testing.T, platform string) []listed {
	t.Helper()
	goos, goarch, _ := strings.Cut(platform, "/")
	cmd := exec.CommandContext(t.Context(), "go", "list", "-buildvcs=false", "-json=ImportPath,Imports,Deps", "./...")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, stderr.String())
	}
	var packages []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// arrows lists the forbidden dependencies of p.
func arrows(p listed) []string {
	own := local(p.ImportPath)
	i := slices.IndexFunc(house, func(f floor) bool { return match(f.pattern, own) })
	if i < 0 {
		return []string{own + ": has no place in the house; see the table of floors in this test"}
	}
	var offences []string
	for _, imported := range p.Imports {
		if why := refused(house[i], own, imported); why != "" {
			offences = append(offences, fmt.Sprintf("%s imports %s: %s", own, imported, why))
		}
	}
	for _, b := range bans {
		for _, dep := range p.Deps {
			if match(b.pattern, own) && matchAny(b.never, dep) {
				offences = append(offences, fmt.Sprintf("%s depends on %s: %s", own, dep, b.why))
			}
		}
	}
	return offences
}

// refused says why the package own on floor f must not import a package, or
// nothing if it may.
func refused(f floor, own, imported string) string {
	if imported == module || strings.HasPrefix(imported, module+"/") {
		target := local(imported)
		if matchAny(f.may, target) || match(own+"/internal/...", target) {
			return ""
		}
		return f.why
	}
	if match("strategies/...", own) && !matchAny(pure, imported) {
		return "strategies import errors, text, numbers and time, and nothing else"
	}
	return ""
}

// local is an import path of the module as seen from its root.
func local(importPath string) string {
	if importPath == module {
		return "."
	}
	return strings.TrimPrefix(importPath, module+"/")
}

// match says whether a pattern of the go command covers a path.
func match(pattern, name string) bool {
	if pattern == "./..." {
		return true
	}
	base, tree := strings.CutSuffix(pattern, "/...")
	return name == base || tree && strings.HasPrefix(name, base+"/")
}

func matchAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return match(p, name) })
}

func TestImportCheckFindsOffences(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		pkg, imported string
		want          int
	}{
		"strategies use no lock":                        {"strategies", "sync", 1},
		"strategies use no chance":                      {"strategies", "math/rand/v2", 1},
		"strategies use text":                           {"strategies", "text/tabwriter", 0},
		"strategies do not look up":                     {"strategies", module + "/child", 1},
		"strategies have internals":                     {"strategies", module + "/strategies/internal/ring", 0},
		"a child uses strategies":                       {"child", module + "/strategies", 0},
		"a child does not know its kinds":               {"child", module + "/child/process", 1},
		"a process is a child":                          {"child/process", module + "/child", 0},
		"a process has internals":                       {"child/process", module + "/child/process/internal/spawn", 0},
		"a probe runs a program as a process":           {"child/probe", module + "/child/process", 0},
		"a process knows no probe":                      {"child/process", module + "/child/probe", 1},
		"kinds do not know each other":                  {"child/process", module + "/child/isolated", 1},
		"an isolated function is a process":             {"child/isolated", module + "/child/process", 0},
		"an isolated function knows no other kind":      {"child/isolated", module + "/child/probe", 1},
		"kinds do not know the supervisor":              {"child/childtest", module + "/supervisor", 1},
		"a supervisor uses the contract":                {"supervisor", module + "/child", 0},
		"a supervisor knows no process":                 {"supervisor", module + "/child/process", 1},
		"a supervisor's internals know no metric":       {"supervisor/internal/machine", module + "/metrics", 1},
		"the tests' helpers use the supervisor":         {"supervisor/supervisortest", module + "/supervisor", 0},
		"the tests' helpers know no internals":          {"supervisor/supervisortest", module + "/supervisor/internal/machine", 1},
		"metrics use the supervisor":                    {"metrics", module + "/supervisor", 0},
		"metrics use no example":                        {"metrics", module + "/examples/quickstart", 1},
		"examples use everything":                       {"examples/quickstart", module + "/child/process", 0},
		"the library's root imports nothing of its own": {".", module + "/child", 1},
		"a new top-level folder":                        {"util", "fmt", 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantOffences(t, arrows(listed{ImportPath: module + "/" + tt.pkg, Imports: []string{tt.imported}}), tt.want)
		})
	}
	t.Run("what comes through another package counts", func(t *testing.T) {
		t.Parallel()
		deps := []string{"context", "net/http", "os/exec", "github.com/prometheus/procfs"}
		wantOffences(t, arrows(listed{ImportPath: module + "/supervisor", Deps: deps}), 3)
		wantOffences(t, arrows(listed{ImportPath: module + "/child/process", Deps: deps}), 0)
	})
}
