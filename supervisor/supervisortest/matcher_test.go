package supervisortest_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
	. "github.com/coppice-go/coppice/supervisor/supervisortest"
)

func TestAMatcherMeansWhatItSays(t *testing.T) {
	t.Parallel()
	event := func(k supervisor.EventKind, change ...func(*supervisor.Event)) supervisor.Event {
		e := supervisor.Event{Kind: k, Path: "a/b", Incarnation: 1}
		for _, c := range change {
			c(&e)
		}
		return e
	}
	second := func(e *supervisor.Event) { e.Incarnation = 2 }
	told := func(e *supervisor.Event) { e.Reason = child.ByCall }
	failed := func(e *supervisor.Event) { e.Exit.Kind = child.Failed }
	restarts := func(e *supervisor.Event) { e.Next = supervisor.Restarts }
	errNo := errors.New("no")
	because := func(e *supervisor.Event) { e.Exit.Err = fmt.Errorf("it said %w", errNo) }
	elsewhere := func(e *supervisor.Event) { e.Path = "a/bb" }
	started, exited := event(supervisor.ChildStarted), event(supervisor.ChildExited, failed)
	cases := map[string]struct {
		matcher  Matcher
		yes, not supervisor.Event
	}{
		"a/b added":                 {Added("a/b"), event(supervisor.ChildAdded), started},
		"a/b starting":              {Starting("a/b"), event(supervisor.ChildStarting), started},
		"a/b started":               {Started("a/b"), started, event(supervisor.ChildStarted, elsewhere)},
		"a/b started again":         {Restarted("a/b"), event(supervisor.ChildStarted, second), started},
		"a/b exited: error":         {Exited("a/b", child.Failed), exited, event(supervisor.ChildExited)},
		"a/b exited as it was told": {Terminated("a/b"), event(supervisor.ChildExited, told), exited},
		"a/b stopping: call":        {Stopping("a/b", child.ByCall), event(supervisor.ChildStopping, told), event(supervisor.ChildStopping)},
		"a/b killed":                {Killed("a/b"), event(supervisor.ChildKilled), started},
		"a/b stuck":                 {Stuck("a/b"), event(supervisor.ChildStuck), started},
		"a/b removed":               {Removed("a/b"), event(supervisor.ChildRemoved), started},
		"a gave_up":                 {GaveUp("a"), event(supervisor.SupervisorGaveUp), started},
		"a/b gave_up":               {GaveUp("a/b"), supervisor.Event{Kind: supervisor.SupervisorGaveUp, Path: "a/b/c"}, event(supervisor.SupervisorGaveUp)},
		"started":                   {Kind(supervisor.ChildStarted), started, exited},
		"a/b":                       {Path("a/b"), started, event(supervisor.ChildStarted, elsewhere)},
		"below a":                   {Below("a"), started, supervisor.Event{Path: "a"}},
		"#2":                        {Incarnation(2), event(supervisor.ChildStarted, second), started},
		"next restarts":             {Next(supervisor.Restarts), event(supervisor.ChildExited, restarts), event(supervisor.ChildStarted, restarts)},
		`because of "no"`:           {Cause(errNo), event(supervisor.ChildExited, because), exited},
		"#2 and a/b and started":    {Incarnation(2).And(Path("a/b"), Kind(supervisor.ChildStarted)), event(supervisor.ChildStarted, second), started},
		"a/b and started":           {Path("a/b").And(Kind(supervisor.ChildStarted)), started, exited},
		"(a/b killed or a/b stuck)": {Killed("a/b").Or(Stuck("a/b")), event(supervisor.ChildStuck), started},
		"not (a/b started)":         {Not(Started("a/b")), exited, started},
	}
	for text, tt := range cases {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			if got := tt.matcher.String(); got != text {
				t.Errorf("it says %q", got)
			}
			if !tt.matcher.Match(tt.yes) {
				t.Errorf("it does not mean %v", tt.yes)
			}
			if tt.matcher.Match(tt.not) {
				t.Errorf("it means %v", tt.not)
			}
		})
	}
}

func TestTheZeroMatcherMeansAnyEvent(t *testing.T) {
	t.Parallel()
	for _, m := range []Matcher{{}, Where("", nil), Matcher{}.Or(), Matcher{}.And()} {
		if !m.Match(supervisor.Event{}) || Not(m).Match(supervisor.Event{}) || m.String() != "any event" {
			t.Errorf("%v does not", m)
		}
	}
}
