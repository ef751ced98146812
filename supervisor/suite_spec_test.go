package supervisor_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// specer is a user's own type of child.
type specer func() child.Spec

func (s specer) ChildSpec() child.Spec { return s() }

// with is a good child that was changed.
func with(change func(*child.Spec)) child.Spec {
	c := child.Spec{Name: "a", Run: child.Func(idle)}
	change(&c)
	return c
}

func TestWhatAChildsSpecMayNotSay(t *testing.T) {
	cases := map[string]struct {
		child child.Specer
		auto  supervisor.AutoShutdown
		wrong string // the first words of each mistake
	}{
		"no name":                   {child: with(func(c *child.Spec) { c.Name = "" }), wrong: "root[0]: Name"},
		"a name that is no name":    {child: with(func(c *child.Spec) { c.Name = "a/b" }), wrong: "root[0]: Name"},
		"no service":                {child: with(func(c *child.Spec) { c.Run = nil }), wrong: "root/a: Run"},
		"a function that is nil":    {child: with(func(c *child.Spec) { c.Run = child.Func(nil) }), wrong: "root/a: Run"},
		"no spec":                   {child: nil, wrong: "root[0]: Children"},
		"a spec that panics":        {child: specer(func() child.Spec { panic(errLife) }), wrong: "root[0]: Children"},
		"an unknown restart type":   {child: with(func(c *child.Spec) { c.Restart = child.Temporary + 1 }), wrong: "root/a: Restart"},
		"a grace below zero":        {child: with(func(c *child.Spec) { c.Shutdown = -2 }), wrong: "root/a: Shutdown"},
		"a patience below zero":     {child: with(func(c *child.Spec) { c.Ready.Patience = -1 }), wrong: "root/a: Ready.Patience"},
		"an unknown Stuck":          {child: with(func(c *child.Spec) { c.Stuck = child.Abandon + 1 }), wrong: "root/a: Stuck"},
		"a bad delay":               {child: with(func(c *child.Spec) { c.Backoff.Max = -1 }), wrong: "root/a: Backoff.Max"},
		"significant, and no use":   {child: with(func(c *child.Spec) { c.Significant, c.Restart = true, child.Transient }), wrong: "root/a: Significant"},
		"significant and permanent": {child: with(func(c *child.Spec) { c.Significant = true }), auto: supervisor.AnySignificant, wrong: "root/a: Significant"},
		"several mistakes": {
			child: with(func(c *child.Spec) { c.Run, c.Restart, c.Shutdown = nil, 77, -77 }), wrong: "root/a: Run, root/a: Restart, root/a: Shutdown"},
		"a mistake further down": {
			child: supervisor.Spec{Name: "inner", Children: []child.Specer{child.Spec{Name: "b"}}}, wrong: "root/inner/b: Run"},
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				first := with(func(c *child.Spec) { c.Name = "first" })
				good := supervisor.Spec{Name: "root", Intensity: never, AutoShutdown: tt.auto}
				bad := good
				bad.Children = []child.Specer{tt.child}
				expect(t, bad.Validate(), tt.wrong)
				bad.Children = []child.Specer{first, tt.child}
				_, err := quiet.Start(context.Background(), bad)
				expect(t, err, strings.Replace(tt.wrong, "[0]", "[1]", 1))

				good.Children = []child.Specer{first}
				sup := start(t, good)
				_, err = sup.Ref().StartChild(context.Background(), tt.child)
				if tt.child == nil {
					if err == nil {
						t.Error("start_child took nil")
					}
				} else {
					expect(t, err, tt.wrong)
				}
				if n, err := sup.Ref().Count(); err != nil || n.Specs != 1 || n.Active != 1 {
					t.Errorf("after that: %+v, %v", n, err)
				}
				_ = sup.Stop(context.Background())
			})
		})
	}
}

// expect wants the mistakes that begin with these words.
func expect(t *testing.T, err error, want string) {
	t.Helper()
	var invalid *supervisor.InvalidError
	if !errors.As(err, &invalid) {
		t.Errorf("got %v, want mistakes in %s", err, want)
		return
	}
	var got []string
	for _, m := range invalid.Mistakes {
		got = append(got, m.Path+": "+m.Field)
	}
	if got := strings.Join(got, ", "); got != want {
		t.Errorf("got mistakes in %s, want %s", got, want)
	}
}

func TestWhatASupervisorsSpecMayNotSay(t *testing.T) {
	template := func(any) child.Spec { return with(func(*child.Spec) {}) }
	a := with(func(*child.Spec) {})
	itself := &supervisor.Spec{Name: "root"}
	itself.Children = []child.Specer{specer(func() child.Spec { return itself.ChildSpec() })}
	cases := map[string]struct {
		spec  supervisor.Spec
		wrong string
	}{
		"no name":                             {supervisor.Spec{}, "the root: Name"},
		"an unknown strategy":                 {supervisor.Spec{Name: "root", Strategy: 77}, "root: Strategy"},
		"a negative number of restarts":       {supervisor.Spec{Name: "root", Intensity: strategies.Intensity{Restarts: -2, Period: 1}}, "root: Intensity.Restarts"},
		"a negative period":                   {supervisor.Spec{Name: "root", Intensity: strategies.Intensity{Restarts: 1, Period: -1}}, "root: Intensity.Period"},
		"an unknown AutoShutdown":             {supervisor.Spec{Name: "root", AutoShutdown: 77}, "root: AutoShutdown"},
		"two children of one name":            {supervisor.Spec{Name: "root", Children: []child.Specer{a, a}}, "root/a: Name"},
		"simple_one_for_one, no template":     {supervisor.Spec{Name: "root", Strategy: strategies.SimpleOneForOne}, "root: Strategy"},
		"a template and children":             {supervisor.Spec{Name: "root", Template: template, Children: []child.Specer{a}}, "root: Children"},
		"a template and a group":              {supervisor.Spec{Name: "root", Template: template, Strategy: strategies.OneForAll}, "root: Strategy"},
		"a template, any_significant":         {supervisor.Spec{Name: "root", Template: template, AutoShutdown: supervisor.AnySignificant}, "root: AutoShutdown"},
		"a template, all_significant":         {supervisor.Spec{Name: "root", Template: template, AutoShutdown: supervisor.AllSignificant}, "root: AutoShutdown"},
		"a negative number of children":       {supervisor.Spec{Name: "root", MaxChildren: -1}, "root: MaxChildren"},
		"more children than it may have":      {supervisor.Spec{Name: "root", MaxChildren: 1, Children: []child.Specer{a, worker("b")}}, "root: MaxChildren"},
		"a grace below zero":                  {supervisor.Spec{Name: "root", Shutdown: -2}, "root: Shutdown"},
		"a supervisor that contains itself":   {*itself, "root" + strings.Repeat("/root", 999) + ": Children"},
		"a mistake of its own and of a child": {supervisor.Spec{Name: "root", Strategy: 77, Children: []child.Specer{child.Spec{Name: "a"}}}, "root: Strategy, root/a: Run"},
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := quiet.New(tt.spec)
			expect(t, err, tt.wrong)
		})
	}
	dynamic := supervisor.Spec{Name: "root", Template: template}
	if err := dynamic.Validate(); err != nil {
		t.Error(err)
	}
}

// Which children may be significant, in all combinations of what may be said.
func TestWhatMayBeSignificant(t *testing.T) {
	nested := supervisor.Spec{Name: "a"}.ChildSpec().Run
	for _, auto := range []supervisor.AutoShutdown{supervisor.Never, supervisor.AnySignificant, supervisor.AllSignificant} {
		for _, restart := range []child.Restart{child.Permanent, child.Transient, child.Temporary} {
			for _, grace := range []time.Duration{child.BrutalKill, child.Infinity, 0, 1, time.Second} {
				for _, run := range []child.Service{child.Func(idle), nested} {
					for _, significant := range []bool{false, true} {
						c := child.Spec{Name: "a", Run: run, Restart: restart, Shutdown: grace, Significant: significant}
						err := supervisor.Spec{Name: "root", AutoShutdown: auto, Children: []child.Specer{c}}.Validate()
						if want := !significant || auto != supervisor.Never && restart != child.Permanent; want != (err == nil) {
							t.Errorf("%v, %v: got %v", auto, c, err)
						}
					}
				}
			}
		}
	}
}

func TestASpecIsShownAsItWasGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		specs := []child.Specer{
			child.Spec{Name: "plain", Run: child.Func(idle)},
			child.Spec{Name: "brutal", Run: child.Func(idle), Restart: child.Temporary, Shutdown: child.BrutalKill},
			supervisor.Spec{Name: "inner", Restart: child.Transient, Template: func(arg any) child.Spec {
				return child.Spec{Name: arg.(string), Run: child.Func(idle), Restart: child.Temporary}
			}},
		}
		sup := start(t, supervisor.Spec{Name: "root", Children: specs})
		inner := sup.Find("root/inner")
		for _, name := range []string{"x", "y", "z"} {
			specs = append(specs, child.Spec{Name: "inner/" + name, Run: child.Func(idle), Restart: child.Temporary})
			if _, err := inner.StartChild(context.Background(), name); err != nil {
				t.Error(err)
			}
		}
		for _, s := range specs {
			want := s.ChildSpec()
			ref := sup.Find("root/" + want.Name)
			want.Name = last("/" + want.Name)
			if got, err := ref.Spec(); err != nil || !got.Equal(want) {
				t.Errorf("got %v, %v, want %v", got, err, want)
			}
		}
		for _, path := range []string{"root/none", "root/inner/none", "root/inner/1", "other"} {
			if _, err := sup.Find(path).Spec(); !errors.Is(err, supervisor.ErrNotFound) {
				t.Errorf("%s: got %v", path, err)
			}
		}
		_ = sup.Stop(context.Background())
	})
}

// There is no change of code: what a spec says when the tree is made holds for
// its life.
func TestARunningTreeIsNotChangedByANewSpec(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := map[string]int{}
		worker := func(name string) child.Spec {
			return child.Spec{Name: name, Restart: child.Transient, Run: child.Func(func(ctx context.Context) error { runs[name]++; return idle(ctx) })}
		}
		inner := supervisor.Spec{Name: "inner", Children: []child.Specer{worker("old")}}
		spec := supervisor.Spec{Name: "root", Children: []child.Specer{inner}}
		sup := start(t, spec)
		spec.AutoShutdown, spec.Children[0] = supervisor.AnySignificant, worker("new")
		inner.Children[0] = worker("newer")
		if err := sup.Find("root/inner").Bounce(context.Background()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		significant := worker("significant")
		significant.Significant = true
		_, err := sup.Ref().StartChild(context.Background(), significant)
		expect(t, err, "root/significant: Significant")
		_ = sup.Stop(context.Background())
		if len(runs) != 1 || runs["old"] != 2 {
			t.Errorf("got %v", runs)
		}
	})
}
