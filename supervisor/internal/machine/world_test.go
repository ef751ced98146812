package machine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	. "github.com/coppice-go/coppice/supervisor/internal/machine"
)

// world is a driver in the head: it performs the machine's actions, knows which
// runs live, and checks after every input what must always hold.
type world struct {
	t       *testing.T
	m       *Machine
	c       Config
	now     time.Duration
	kids    []*Child                   // in start order
	runs    map[*Child][]*play         // by place: the runs that live
	asked   map[*Request]int           // how often it was answered
	counted map[*Child][]time.Duration // attempts; under nil if the window is shared
	seen    map[*Child]uint64          // how many attempts were known
	unready map[*Child]bool            // its last run ended before its start was complete
	free    map[*Child]bool            // its start has failed for now: its retry is not counted
	last    map[*Child]uint64          // its last incarnation
	born    map[*Child]int             // in which order they first ran
	due     time.Duration              // the deadline after the last input
	waits   bool                       // there is one
	up      bool
	over    bool
	killed  bool // KillAll was called
	refused bool // the window has refused a restart
	trace   []string
}

// play is a run that lives.
type play struct {
	incarnation         uint64
	ready, told, killed bool
	left                bool // behind: nothing is expected of it
}

func emptyWorld(t *testing.T) *world {
	return &world{
		t: t, unready: map[*Child]bool{}, runs: map[*Child][]*play{}, asked: map[*Request]int{}, free: map[*Child]bool{}, last: map[*Child]uint64{},
		counted: map[*Child][]time.Duration{}, seen: map[*Child]uint64{},
		born: map[*Child]int{},
	}
}

// create makes the machine.
func (w *world) create(kids []*Child) {
	w.kids = slices.Clone(kids)
	w.m = New(w.c, kids)
}

func (w *world) failf(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("%s\nconfig %+v\ntrace:\n%s", fmt.Sprintf(format, args...), w.c, strings.Join(w.trace, "\n"))
}

func (w *world) log(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf("%8v ", w.now)+fmt.Sprintf(format, args...))
}

// input takes the machine's answer to what happened.
func (w *world) input(what string, actions []Action) {
	w.t.Helper()
	w.log("%s", what)
	for i := range actions {
		w.do(&actions[i])
	}
	w.window()
	if what := w.m.Broken(); what != "" {
		w.failf("%s", what)
	}
	if !w.over {
		w.check()
	}
}

// do performs an action.
func (w *world) do(a *Action) {
	w.t.Helper()
	c := a.Child
	if c != nil {
		w.log("  %d(%d) %s #%d", a.Do, a.What, c.Name, c.Incarnation)
	}
	if w.over && a.Do != Reply {
		w.failf("an action after the end: %+v", *a)
	}
	switch a.Do {
	case Launch:
		w.launch(c)
	case Tell:
		w.tell(c)
	case Kill:
		if p := w.current(c); !p.told || p.killed {
			w.failf("%s was killed without being told, or twice", c.Name)
		} else {
			p.killed = true
		}
	case Detach:
		p := w.current(c)
		if !p.killed && w.m.Phase() < Ending {
			w.failf("%s was left behind without being killed", c.Name)
		}
		p.left = true
	case Forget:
		if i := slices.Index(w.kids, c); i >= 0 && !c.Live() {
			w.kids = slices.Delete(w.kids, i, i+1)
		} else {
			w.failf("%s has lost its place twice, or while it runs", c.Name)
		}
	case Reply:
		if w.asked[a.Request]++; w.asked[a.Request] > 1 {
			w.failf("request %+v was answered twice", *a.Request)
		}
	case Complete:
		w.up = true
	case Over:
		w.end()
	case Note:
		w.note(a)
	}
}

func (w *world) note(a *Action) {
	switch a.What {
	case Added:
		w.kids = append(w.kids, a.Child)
	case Exited:
		w.free[a.Child] = w.up && w.unready[a.Child] && a.Next == Restarts && a.Exit.Kind == child.StartFailed && a.Exit.Temporary
	}
}

// current is the run of c that the machine knows of.
func (w *world) current(c *Child) *play {
	for _, p := range w.runs[c] {
		if !p.left {
			return p
		}
	}
	w.failf("%s has no live run", c.Name)
	return nil
}

func (w *world) launch(c *Child) {
	for _, p := range w.runs[c] {
		if !p.left || c.Policy.Stuck != child.Abandon {
			w.failf("%s is started while #%d lives", c.Name, p.incarnation)
		}
	}
	if c.Incarnation <= w.last[c] {
		w.failf("%s begins as #%d after #%d", c.Name, c.Incarnation, w.last[c])
	}
	if !w.up {
		w.inOrder(c)
	}
	if _, known := w.last[c]; !known {
		w.born[c] = len(w.born)
	}
	w.last[c] = c.Incarnation
	w.runs[c] = append(w.runs[c], &play{incarnation: c.Incarnation, ready: !c.Policy.Announces && !c.Leftover})
}

// inOrder checks the order of the start of all: those before c have begun and
// do not start any more, those after it have not begun.
func (w *world) inOrder(c *Child) {
	before := true
	for _, o := range w.kids {
		switch {
		case o == c:
			before = false
		case before && (w.last[o] == 0 || slices.ContainsFunc(w.runs[o], func(p *play) bool { return !p.ready })):
			w.failf("%s is started before the start of %s is complete", c.Name, o.Name)
		case !before && w.last[o] > 0:
			w.failf("%s is started after %s", c.Name, o.Name)
		}
	}
}

// tell checks the order of a stop: who is told in its turn has nobody behind it
// who lives.
func (w *world) tell(c *Child) {
	p := w.current(c)
	if p.told {
		w.failf("%s is told twice", c.Name)
	}
	p.told = true
	if c.Told != child.ByShutdown && c.Told != child.ByGroup || w.c.Dynamic || w.c.Together || w.killed {
		return
	}
	for _, o := range w.kids[slices.Index(w.kids, c)+1:] {
		if o.State != Stuck && slices.ContainsFunc(w.runs[o], func(p *play) bool { return !p.left }) {
			w.failf("%s is told to stop while %s behind it lives", c.Name, o.Name)
		}
	}
}

// end checks that a supervisor that has ended has left nothing behind but what
// it may.
func (w *world) end() {
	w.over = true
	for c, runs := range w.runs {
		for _, p := range runs {
			if !p.left {
				w.failf("the supervisor has ended and %s #%d lives", c.Name, p.incarnation)
			}
		}
	}
	for r, n := range w.asked {
		if n == 0 {
			w.failf("the supervisor has ended without an answer to %+v", *r)
		}
	}
	if at, ok := w.m.Deadline(); ok {
		w.failf("the supervisor has ended and waits for %v", at)
	}
}

// check is what holds between two inputs.
func (w *world) check() {
	w.t.Helper()
	var kids []*Child
	live := 0
	moving := w.m.Busy()
	w.m.Each(func(c *Child) bool {
		kids = append(kids, c)
		runs := 0
		for _, p := range w.runs[c] {
			if !p.left {
				runs++
			}
		}
		if c.Live() != (runs == 1) || runs > 1 {
			w.failf("%s is in state %d with %d runs", c.Name, c.State, runs)
		}
		live += runs
		moving = moving || c.State == Starting || c.State == Stopping || c.State == Stuck
		return true
	})
	if !slices.Equal(kids, w.kids) {
		w.failf("the order of the children is another")
	}
	if n := w.m.Len(); n != len(kids) {
		w.failf("%d children, want %d", n, len(kids))
	}
	if n := w.m.Count(); n.Active != live || n.Supervisors+n.Workers != len(kids) || !w.c.Dynamic && n.Specs != len(kids) {
		w.failf("count is %+v, want %d of %d", n, live, len(kids))
	}
	for r, n := range w.asked {
		if n == 0 && !moving {
			w.failf("nobody will answer %+v", *r)
		}
	}
	at, ok := w.m.Deadline()
	if ok && at < w.now && !(w.waits && w.due <= at) {
		w.failf("a new deadline of %v has passed already", at)
	}
	w.due, w.waits = at, ok
}

// window counts the restarts by itself: the machine must make as many as its
// intensity says, and no more.
func (w *world) window() {
	in := w.c.Intensity
	w.m.Each(func(c *Child) bool {
		if c.Past == nil || w.seen[c] == c.Past.Restarts {
			return true
		}
		if w.seen[c]++; w.seen[c] != c.Past.Restarts {
			w.failf("%s was restarted twice in one step", c.Name)
		}
		if !w.free[c] {
			w.counted[w.key(c)] = append(w.counted[w.key(c)], w.now)
		}
		if n := w.within(c); n > in.Restarts && in.Restarts != strategies.Unlimited {
			w.failf("%d restarts within %v, of which %s had the last", n, in.Period, c.Name)
		}
		return true
	})
	w.m.Each(func(c *Child) bool {
		got := w.m.WindowCount(w.now)
		if in.Each {
			got = c.WindowCount(w.now, in)
		}
		if want := w.within(c); got != want && in.Restarts != strategies.Unlimited {
			w.failf("the window of %s holds %d, want %d", c.Name, got, want)
		}
		return got == 0 || in.Each // a shared window is looked at once
	})
	if e := w.m.End(); e.Refused && !w.refused {
		w.refused = true
		if n := w.within(e.Child); n != in.Restarts || w.free[e.Child] {
			w.failf("a restart of %s was refused after %d of %v", e.Child.Name, n, in)
		}
	}
}

func (w *world) key(c *Child) *Child {
	if w.c.Intensity.Each {
		return c
	}
	return nil
}

// within is how many counted restarts lie in the window.
func (w *world) within(c *Child) (n int) {
	for _, at := range w.counted[w.key(c)] {
		if w.now-at <= w.c.Intensity.Period {
			n++
		}
	}
	return n
}

// gone tells the machine that p has ended.
func (w *world) gone(c *Child, p *play, exit child.Exit, v Verdict) (string, []Action) {
	w.unready[c] = !p.ready
	w.runs[c] = slices.DeleteFunc(w.runs[c], func(q *play) bool { return q == p })
	return fmt.Sprintf("exit %s #%d %s %d", c.Name, p.incarnation, exit.Kind, v), w.m.Exited(c, p.incarnation, &exit, v, w.now)
}

// ready tells the machine that the start of p is complete.
func (w *world) ready(c *Child, p *play) (string, []Action) {
	p.ready = p.ready || !p.told
	return "ready " + c.Name, w.m.Ready(c, p.incarnation, w.now)
}

// tick tells the machine that time has passed.
func (w *world) tick() {
	w.input("tick", w.m.Tick(w.now))
	if at, ok := w.m.Deadline(); ok && at < w.now && !w.over {
		w.failf("a deadline of %v has passed and stays", at)
	}
}
