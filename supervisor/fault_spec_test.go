package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/supervisor"
)

// The tests whose names begin with TestFault show what a tree answers to bad
// input and to code of the user's that misbehaves: a clear error before
// anything has started, or the loss of the one child; never a hang or a crash.

// worker is a child that waits for its end.
func worker(name string) child.Spec { return child.Spec{Name: name, Run: child.Func(idle)} }

// treeOf is a root of that name with those children.
func treeOf(name string, children ...child.Specer) supervisor.Spec {
	return supervisor.Spec{Name: name, Children: children}
}

// mistakes are what the start of spec is refused for. No child may run.
func mistakes(t *testing.T, spec supervisor.Spec) []*supervisor.SpecError {
	t.Helper()
	guard := child.Spec{Name: "guard", Run: child.Func(func(context.Context) error {
		t.Error("a child of an invalid tree was started")
		return nil
	})}
	spec.Children = append([]child.Specer{guard}, spec.Children...)
	var invalid *supervisor.InvalidError
	if _, err := quiet.Start(context.Background(), spec); !errors.As(err, &invalid) {
		t.Fatalf("Start: got %v", err)
	}
	if err := quiet.Run(context.Background(), spec); !errors.As(err, &invalid) {
		t.Errorf("Run: got %v", err)
	}
	if err := spec.Validate(); !errors.As(err, &invalid) {
		t.Errorf("Validate: got %v", err)
	}
	return invalid.Mistakes
}

// only fails unless there is one mistake, which says all that.
func only(t *testing.T, got []*supervisor.SpecError, path, field, value, reason string) {
	t.Helper()
	if len(got) != 1 {
		t.Fatalf("got %d mistakes: %v", len(got), &supervisor.InvalidError{Mistakes: got})
	}
	m := got[0]
	if m.Path != path || m.Field != field || m.Value != value || !strings.Contains(m.Reason, reason) {
		t.Errorf("got %v, want %s: %s: %s: ...%s...", m, path, field, value, reason)
	}
	if text := m.Error(); strings.ContainsAny(text, "\n\x1b\x00") || len(text) > 1000 {
		t.Errorf("the text of the error is %q", text)
	}
}

func TestFaultANameThatIsNone(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for what, tt := range map[string]struct{ name, value, reason string }{
		"empty":            {"", `""`, "must not be empty"},
		"overlong":         {long, fmt.Sprintf("%q...", long[:63]), "is 1048576 bytes long; at most 63 are allowed"},
		"slashed":          {"a/b", `"a/b"`, "holds '/'"},
		"a slash":          {"/", `"/"`, "holds '/'"},
		"hidden":           {".a", `".a"`, "must not begin with a dot"},
		"a flag":           {"-a", `"-a"`, "must not begin with a dot or a dash"},
		"with a space":     {"a b", `"a b"`, "holds ' '"},
		"of two lines":     {"a\nb", `"a\nb"`, `holds '\n'`},
		"with an escape":   {"a\x1b[31m", `"a\x1b[31m"`, `holds '\x1b'`},
		"of other letters": {"größe", `"größe"`, "holds 'ö'"},
		"not even text":    {"a\xff", `"a\xff"`, "holds '\uFFFD'"},
	} {
		t.Run(what, func(t *testing.T) {
			only(t, mistakes(t, treeOf(tt.name)), "the root", "Name", tt.value, tt.reason)
			only(t, mistakes(t, treeOf("root", worker(tt.name))), "root[1]", "Name", tt.value, tt.reason)
			only(t, mistakes(t, treeOf("root", treeOf(tt.name))), "root[1]", "Name", tt.value, tt.reason)
			only(t, mistakes(t, treeOf("root", treeOf("sub", worker(tt.name)))), "root/sub[0]", "Name", tt.value, tt.reason)
			sup := start(t, treeOf("root", worker("a")))
			_, err := sup.Ref().StartChild(t.Context(), worker(tt.name))
			var invalid *supervisor.InvalidError
			if !errors.As(err, &invalid) {
				t.Fatalf("StartChild: got %v", err)
			}
			only(t, invalid.Mistakes, "root[0]", "Name", tt.value, tt.reason)
			if n, err := sup.Ref().Count(); n.Specs != 1 || err != nil {
				t.Errorf("got %+v, %v", n, err)
			}
			_ = sup.Stop(t.Context())
		})
	}
}

func TestFaultANameThatIsTaken(t *testing.T) {
	only(t, mistakes(t, treeOf("root", worker("a"), worker("b"), treeOf("a"))),
		"root/a", "Name", `"a"`, "is taken by the child at position 1")
	inner := treeOf("root", worker("guard")) // the same name elsewhere is none that is taken
	sup := start(t, treeOf("root", worker("guard"), inner))
	if _, err := sup.Ref().StartChild(t.Context(), worker("guard")); !errors.Is(err, supervisor.ErrAlreadyStarted) {
		t.Errorf("got %v", err)
	}
	if err := sup.Ref().TerminateChild(t.Context(), "guard"); err != nil {
		t.Error(err)
	}
	if _, err := sup.Ref().StartChild(t.Context(), worker("guard")); !errors.Is(err, supervisor.ErrAlreadyPresent) {
		t.Errorf("got %v", err)
	}
	_ = sup.Stop(t.Context())
}

// pointed is a service by its pointer.
type pointed struct{ hits int }

func (p *pointed) Serve(context.Context) error { p.hits++; return nil }

func TestFaultAServiceThatIsNil(t *testing.T) {
	for what, tt := range map[string]struct {
		service child.Service
		value   string
	}{
		"nothing":                {nil, "nil"},
		"a nil function":         {child.Func(nil), "nil"},
		"fresh of nil":           {child.Fresh(nil), "fresh nil"},
		"a nil pointer":          {(*pointed)(nil), "*supervisor_test.pointed"},
		"a nil supervisor":       {(*supervisor.Supervisor)(nil), "*supervisor.Supervisor"},
		"a nil pointer to a cmd": {(*process.Command)(nil), "*process.Command"},
	} {
		t.Run(what, func(t *testing.T) {
			spec := child.Spec{Name: "c", Run: tt.service}
			only(t, mistakes(t, treeOf("root", spec)), "root/c", "Run", tt.value, "must not be nil")
			sup := start(t, treeOf("root"))
			if _, err := sup.Ref().StartChild(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "root/c: Run: "+tt.value) {
				t.Errorf("StartChild: got %v", err)
			}
			_ = sup.Stop(t.Context())
		})
	}
}

func TestFaultAListEntryThatIsNil(t *testing.T) {
	only(t, mistakes(t, treeOf("root", nil)), "root[1]", "Children", "nil", "must not be nil")
	only(t, mistakes(t, treeOf("root", (*child.Spec)(nil))), "root[1]", "Children", "*child.Spec", "panicked")
	only(t, mistakes(t, treeOf("root", (*supervisor.Spec)(nil))), "root[1]", "Children", "*supervisor.Spec", "panicked")
	sup := start(t, treeOf("root"))
	for _, spec := range []any{nil, (*child.Spec)(nil), "a name", 7} {
		if at, err := sup.Ref().StartChild(t.Context(), spec); err == nil || at != (supervisor.Ref{}) {
			t.Errorf("StartChild(%T): got %v, %v", spec, at, err)
		}
	}
	_ = sup.Stop(t.Context())
}

func TestFaultASupervisorWithoutChildren(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup := start(t, treeOf("root", treeOf("empty"), supervisor.Spec{Name: "zero", Children: []child.Specer{}}))
		for _, path := range []string{"root/empty", "root/zero"} {
			s, err := sup.Find(path).Status()
			if n, e := sup.Find(path).Count(); e != nil || err != nil || n.Specs != 0 || s.State != supervisor.Running {
				t.Errorf("%s: got %v, %+v, %v, %v", path, s.State, n, err, e)
			}
			if err := sup.Find(path).RestartAll(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if _, err := sup.Find("root/empty").StartChild(t.Context(), worker("first")); err != nil {
			t.Error(err)
		}
		if err := sup.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		sup := start(t, treeOf("root"))
		time.Sleep(time.Hour)
		if isDone(sup) {
			t.Error("an empty tree has ended by itself")
		}
		if err := sup.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func isDone(sup *supervisor.Supervisor) bool {
	select {
	case <-sup.Done():
		return true
	default:
		return false
	}
}

// tower is a tree of that many supervisors of that kind, each in the one
// before, and a worker in the last.
func tower(height int, kind supervisor.Spec, last child.Specer) supervisor.Spec {
	spec := kind
	spec.Children = []child.Specer{last}
	for range height - 1 {
		above := kind
		above.Children = []child.Specer{spec}
		spec = above
	}
	return spec
}

func TestFaultATreeAHundredDeep(t *testing.T) {
	const height = 100
	path := strings.Repeat("s/", height) + "w"
	synctest.Test(t, func(t *testing.T) {
		deepest := ""
		crash := make(chan struct{})
		sup := start(t, tower(height, treeOf("s"), child.Spec{Name: "w", Run: child.Func(func(ctx context.Context) error {
			deepest = child.Path(ctx)
			select {
			case <-crash:
				return errLife
			case <-ctx.Done():
				return nil
			}
		})}))
		crash <- struct{}{}
		time.Sleep(time.Minute)
		s, err := sup.Find(path).Status()
		if err != nil || s.Incarnation != 2 || s.State != supervisor.Running || deepest != path {
			t.Errorf("got %+v, %v, and the path %s", s, err, deepest)
		}
		places := 0
		snapshot := sup.Snapshot()
		for range snapshot.Root.All() {
			places++
		}
		if places != height+1 {
			t.Errorf("the snapshot shows %d places", places)
		}
		if err := sup.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // a failure goes all the way up
		strict := supervisor.Spec{Name: "s", Intensity: never, Backoff: noDelay}
		err := quiet.Run(t.Context(), tower(height, strict, one("w", func(context.Context) error { return errLife }).Children[0]))
		var exit *supervisor.ExitError
		if !errors.As(err, &exit) || exit.Path != "s" || !errors.Is(err, errLife) || len(err.Error()) > 4096 {
			t.Errorf("got %.200v", err)
		}
	})
}

// mirror is a supervisor that holds itself, more than once.
type mirror struct{ times int }

func (m mirror) ChildSpec() child.Spec {
	spec := treeOf("m")
	for range m.times {
		spec.Children = append(spec.Children, m)
	}
	return spec.ChildSpec()
}

func TestFaultATreeThatContainsItself(t *testing.T) {
	for times := 1; times <= 3; times++ {
		found := false
		for _, m := range mistakes(t, treeOf("root", mirror{times})) {
			found = found || m.Field == "Children" && strings.Contains(m.Reason, "contain itself")
		}
		if !found {
			t.Errorf("one that holds itself %d times is not refused as that", times)
		}
	}
}

func TestFaultTenThousandSiblings(t *testing.T) {
	const n = 10_000
	spec := treeOf("root")
	for i := range n {
		spec.Children = append(spec.Children, worker(fmt.Sprint("c", i)))
	}
	sup := start(t, spec)
	all, err := sup.Ref().Children()
	if err != nil || len(all) != n || all[n-1].Name != "c9999" {
		t.Errorf("got %d children, %v", len(all), err)
	}
	for _, name := range []string{"c0", "c5000", "c9999"} {
		if err := sup.Ref().Child(name).Bounce(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if err := sup.Ref().RestartAll(t.Context()); err != nil {
		t.Error(err)
	}
	if s, err := sup.Find("root/c5000").Status(); s.Incarnation != 3 || err != nil {
		t.Errorf("got %+v, %v", s, err)
	}
	if err := sup.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestFaultAStartTwiceOnOneSpec(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spec := treeOf("root", worker("a"), treeOf("sub", worker("b")))
		before := spec.String()
		first, second := start(t, spec), start(t, spec)
		if err := first.Ref().TerminateChild(t.Context(), "a"); err != nil {
			t.Error(err)
		}
		if err := first.Find("root/sub/b").Bounce(t.Context()); err != nil {
			t.Error(err)
		}
		a, _ := second.Find("root/a").Status()
		b, _ := second.Find("root/sub/b").Status()
		if a.State != supervisor.Running || b.Incarnation != 1 {
			t.Errorf("what was done to the first is seen in the second: %+v, %+v", a, b)
		}
		if err := first.Stop(t.Context()); err != nil || isDone(second) {
			t.Error("the first has taken the second along", err)
		}
		if err := second.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if after := spec.String(); after != before {
			t.Errorf("the spec was changed to %s", after)
		}
	})
}

// broken is a service and a list entry of which each method may misbehave.
type broken struct {
	validate, specs, announces, isNil func()
}

func (b broken) Serve(ctx context.Context) error { return idle(ctx) }
func (b broken) Validate() error                 { call(b.validate); return nil }
func (b broken) Announces() bool                 { call(b.announces); return false }
func (b broken) IsNil() bool                     { call(b.isNil); return false }
func (b broken) ChildSpec() child.Spec           { call(b.specs); return child.Spec{Name: "c", Run: b} }

func call(f func()) {
	if f != nil {
		f()
	}
}

func TestFaultAMethodOfASpecThatPanics(t *testing.T) {
	boom := func() { panic("boom") }
	for method, b := range map[string]broken{
		"Validate": {validate: boom}, "Announces": {announces: boom}, "IsNil": {isNil: boom},
	} {
		only(t, mistakes(t, treeOf("root", b)), "root/c", "Run", "supervisor_test.broken", "its "+method+" panicked: boom")
		only(t, mistakes(t, treeOf("root", treeOf("sub", b))), "root/sub/c", "Run", "supervisor_test.broken", "its "+method+" panicked: boom")
	}
	only(t, mistakes(t, treeOf("root", broken{specs: boom})), "root[1]", "Children", "supervisor_test.broken", "its ChildSpec panicked: boom")
}

func TestFaultAnAnnouncerThatChangesItsMind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		b := broken{announces: func() {
			if asked++; asked > 1 {
				panic("asked again")
			}
		}}
		sup := start(t, treeOf("root", treeOf("sub", b)))
		if err := sup.Find("root/sub").Bounce(t.Context()); err != nil {
			t.Error(err)
		}
		if s, err := sup.Find("root/sub/c").Status(); s.State != supervisor.Running || s.Incarnation != 2 || err != nil {
			t.Errorf("got %+v, %v", s, err)
		}
		if err := sup.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
