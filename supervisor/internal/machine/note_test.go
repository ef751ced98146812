package machine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	. "github.com/coppice-go/coppice/supervisor/internal/machine"
)

// notes is what the world is told, a word for each.
func notes(actions []Action) string {
	whats := [...]string{
		Added: "added", Began: "began", Started: "started", Exited: "exited", Told: "told",
		Killing: "killing", IsStuck: "stuck", Removed: "removed", Quit: "quit",
	}
	nexts := [...]string{Stays: "stays", Restarts: "restarts", Goes: "goes", Follows: "follows", Ends: "ends"}
	var all []string
	for _, a := range actions {
		if a.Do != Note {
			continue
		}
		word := fmt.Sprintf("%s#%d %s", a.Child.Name, a.Incarnation, whats[a.What])
		if a.Reason != child.NotTold {
			word += " by " + a.Reason.String()
		}
		if a.What == Exited {
			word += fmt.Sprintf(" (%s) %s", a.Exit.Kind, nexts[a.Next])
		}
		all = append(all, word)
	}
	return strings.Join(all, ", ")
}

// one is a supervisor of one child that has started.
func one(restart child.Restart) (*Machine, *Child) {
	c := &Child{Name: "a", Policy: &Policy{
		Restart: restart, Grace: time.Second, Backoff: strategies.Backoff{Min: strategies.None}.WithDefaults(),
	}}
	m := New(Config{Intensity: strategies.Intensity{Restarts: 1, Period: time.Hour}}, []*Child{c})
	m.Start(0)
	return m, c
}

func TestWhatIsToldOfAnExit(t *testing.T) {
	cases := map[string]struct {
		restart child.Restart
		kind    child.Kind
		verdict Verdict
		want    string
	}{
		"a restart":          {child.Permanent, child.Failed, ByType, "a#1 exited (error) restarts, a#2 started"},
		"a place that stays": {child.Transient, child.Normal, ByType, "a#1 exited (normal) stays"},
		"a place that goes":  {child.Temporary, child.Panicked, ByType, "a#1 exited (panic) goes, a#1 removed"},
		"no other run":       {child.Permanent, child.Failed, NeverAgain, "a#1 exited (error) goes, a#1 removed"},
		"the end of all":     {child.Permanent, child.Failed, EndTree, "a#1 exited (error) ends"},
		"an escalation":      {child.Permanent, child.Failed, Verdict(child.EscalateIt), "a#1 exited (error) ends, a#1 quit"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			m, a := one(c.restart)
			got := notes(m.Exited(a, 1, &child.Exit{Kind: c.kind}, c.verdict, 0))
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// A run that was told to stop has ended as it should, or has not: rule 38 says
// which, and difference 8.
func TestWhatIsToldOfAStop(t *testing.T) {
	cases := map[string]struct {
		kind child.Kind
		late bool // it ends when its grace is over
		want string
	}{
		"an orderly end":    {child.Normal, false, "(normal)"},
		"an end in failure": {child.Failed, false, "(error)"},
		"a panic":           {child.Panicked, false, "(panic)"},
		"a kill":            {child.Signalled, true, "(killed)"},
		"a late answer":     {child.Normal, true, "(normal)"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			m, a := one(child.Permanent)
			if got, want := notes(m.Stop(0)), "a#1 told by shutdown"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if c.late {
				if got, want := notes(m.Tick(time.Second)), "a#1 killing by shutdown"; got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
			got := notes(m.Exited(a, 1, &child.Exit{Kind: c.kind}, ByType, time.Second))
			if want := "a#1 exited by shutdown " + c.want + " follows"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestWhyARunWasEnded(t *testing.T) {
	for _, why := range []child.Reason{child.ByPing, child.ByLimit} {
		m, a := one(child.Transient)
		if got, want := notes(m.Fail(a, 1, why, 0)), "a#1 told by "+why.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		got := notes(m.Exited(a, 1, &child.Exit{}, ByType, 0))
		if want := "a#1 exited by " + why.String() + " (killed) restarts, a#2 started"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestNewsOfAnEarlierIncarnationIsNoNews(t *testing.T) {
	m, a := one(child.Permanent)
	m.Exited(a, 1, &child.Exit{}, ByType, 0)
	for what, actions := range map[string][]Action{
		"exited": m.Exited(a, 1, &child.Exit{Kind: child.Failed}, ByType, 0),
		"ready":  m.Ready(a, 1, 0),
		"fail":   m.Fail(a, 1, child.ByPing, 0),
	} {
		if len(actions) > 0 || a.State != Running || a.Incarnation != 2 {
			t.Errorf("%s: %s; #%d is in state %d", what, notes(actions), a.Incarnation, a.State)
		}
	}
}

func TestWhatAChildRemembers(t *testing.T) {
	m, a := one(child.Permanent)
	a.Policy.Backoff = strategies.Backoff{}.WithDefaults()
	m.Exited(a, 1, &child.Exit{Kind: child.Panicked}, ByType, time.Minute/100)
	p := a.Past
	if p.Last().Exit.Kind != child.Panicked || p.Last().At != 600*time.Millisecond || p.Wait != time.Second || p.Next != 1600*time.Millisecond {
		t.Errorf("got %+v", *p)
	}
	if p.Restarts != 0 {
		t.Errorf("got %d restarts before the first", p.Restarts)
	}
	m.Tick(p.Next)
	if p.Restarts != 1 || a.Since != p.Next || m.WindowCount(p.Next) != 1 {
		t.Errorf("got %d restarts, the last at %v, %d in the window", p.Restarts, a.Since, m.WindowCount(p.Next))
	}
}

func TestEachEndsWhenToldTo(t *testing.T) {
	m := New(Config{}, []*Child{{Name: "a", Policy: &Policy{}}, {Name: "b", Policy: &Policy{}}})
	var got []string
	m.Each(func(c *Child) bool { got = append(got, c.Name); return false })
	if len(got) != 1 || got[0] != "a" {
		t.Errorf("got %v, want a", got)
	}
}
