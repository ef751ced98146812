package machine_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	. "github.com/coppice-go/coppice/supervisor/internal/machine"
)

// world is a driver in the head: it performs the machine's actions, plays the
// children, and checks after every input what must always hold.
type world struct {
	t        *testing.T
	m        *Machine
	c        Config
	in       source
	now      time.Duration
	runs     map[*Child][]*play         // by place: the runs that live
	asked    map[*Request]int           // how often it was answered
	counted  map[*Child][]time.Duration // attempts; under nil if the window is shared
	seen     map[*Child]uint64          // how many attempts were known
	forNow   bool                       // a start failed for now: its retries are not counted
	over     bool
	blocked  bool
	stopping bool // the final stop has told somebody
	trace    []string
	stopped  int32 // the position of the last child told by the final stop
}

// play is a run that lives.
type play struct {
	incarnation  uint64
	told, killed bool
	left         bool
	reason       child.Reason
}

// source turns the fuzzer's bytes into choices.
type source struct{ data []byte }

func (s *source) n(n int) int {
	if len(s.data) == 0 {
		return 0
	}
	b := int(s.data[0])
	s.data = s.data[1:]
	return b % n
}

func pick[T any](s *source, of ...T) T { return of[s.n(len(of))] }

func (w *world) policy() *Policy {
	s := &w.in
	p := &Policy{
		Restart: pick(s, child.Permanent, child.Permanent, child.Transient, child.Temporary),
		Stuck:   pick(s, child.Wait, child.Wait, child.Escalate, child.Abandon), Supervisor: s.n(6) == 0,
		Announces: s.n(2) == 0, Patience: pick(s, time.Second, child.Infinity),
		Grace:   pick(s, time.Second, child.BrutalKill, child.Infinity),
		Backoff: pick(s, strategies.Backoff{Min: strategies.None}, strategies.Backoff{}).WithDefaults(),
	}
	p.Significant = p.Restart != child.Permanent && w.c.Auto != Never && s.n(2) == 0
	return p
}

func newWorld(t *testing.T, data []byte) *world {
	w := &world{t: t, in: source{data}, runs: map[*Child][]*play{}, asked: map[*Request]int{}, counted: map[*Child][]time.Duration{}, seen: map[*Child]uint64{}, stopped: 1 << 30}
	s := &w.in
	w.c = Config{
		Strategy: pick(s, strategies.OneForOne, strategies.OneForAll, strategies.RestForOne),
		Intensity: pick(s, strategies.Intensity{Restarts: 3, Period: 10 * time.Second}, strategies.Intensity{Restarts: 1, Period: time.Hour, Each: true},
			strategies.Intensity{Restarts: strategies.Unlimited, Period: time.Second}),
		Auto: pick(s, Never, Never, AnySignificant, AllSignificant), Dynamic: s.n(6) == 0, Together: s.n(4) == 0,
	}
	var kids []*Child
	if w.c.Dynamic {
		w.c.Strategy, w.c.Auto, w.c.MaxChildren = strategies.SimpleOneForOne, Never, 6
	} else {
		for i := range s.n(6) {
			kids = append(kids, &Child{Name: fmt.Sprintf("c%d", i), Policy: w.policy()})
		}
	}
	w.m = New(w.c, kids)
	return w
}

func (w *world) failf(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("%s\nconfig %+v\ntrace:\n%s", fmt.Sprintf(format, args...), w.c, strings.Join(w.trace, "\n"))
}

func (w *world) log(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf("%8v ", w.now)+fmt.Sprintf(format, args...))
}

// do performs the actions.
func (w *world) do(actions []Action) {
	w.t.Helper()
	for i := range actions {
		a := &actions[i]
		c := a.Child
		if c != nil {
			w.log("  %d(%d) %s #%d", a.Do, a.What, c.Name, c.Incarnation)
		}
		if w.over {
			w.failf("an action after the end: %+v", *a)
		}
		switch a.Do {
		case Launch:
			w.launch(c)
		case Tell:
			w.current(c).told, w.current(c).reason = true, c.Told
			w.stopping = w.stopping || c.Told == child.ByShutdown
			w.order(c)
		case Kill:
			if p := w.current(c); !p.told || p.killed {
				w.failf("%s was killed without being told, or twice", c.Name)
			} else {
				p.killed = true
			}
		case Detach:
			p := w.current(c)
			if !p.killed {
				w.failf("%s was left behind without being killed", c.Name)
			}
			p.left = true
		case Reply:
			if w.asked[a.Request]++; w.asked[a.Request] > 1 {
				w.failf("request %+v was answered twice", *a.Request)
			}
		case Blocked:
			w.blocked = true
		case Over:
			w.end()
		}
	}
}

// order checks the order of the final stop: the reverse of the start.
func (w *world) order(c *Child) {
	if w.m.Phase() != Ending || c.Told != child.ByShutdown || w.c.Dynamic || w.c.Together {
		return
	}
	pos := int32(slices.Index(w.names(), c.Name))
	if pos >= w.stopped && !w.killing() {
		w.failf("%s was told to stop after an earlier sibling", c.Name)
	}
	w.stopped = pos
}

func (w *world) killing() bool {
	return len(w.trace) > 0 && slices.ContainsFunc(w.trace, func(s string) bool { return strings.HasSuffix(s, "kill all") })
}

func (w *world) names() (names []string) {
	w.m.Each(func(c *Child) bool { names = append(names, c.Name); return true })
	return names
}

func (w *world) current(c *Child) *play {
	for _, p := range w.runs[c] {
		if !p.left { // the child's next run may begin in the same input
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
	if w.stopping {
		w.failf("%s is started during the stop", c.Name)
	}
	w.runs[c] = append(w.runs[c], &play{incarnation: c.Incarnation})
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
	for r := range w.asked {
		if w.asked[r] == 0 {
			w.failf("the supervisor has ended without an answer to %+v", *r)
		}
	}
}

// check is what holds at rest.
func (w *world) check() {
	w.t.Helper()
	live, size := 0, 0
	transient := false
	w.m.Each(func(c *Child) bool {
		size++
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
		w.window(c)
		transient = transient || c.State == Starting || c.State == Stopping || c.State == Stuck
		if c.State == Dead && !w.m.Busy() {
			w.failf("the exit of %s waits for nothing", c.Name)
		}
		if c.State == Restarting {
			transient = true
			if at, ok := w.m.Deadline(); !w.m.Busy() && (!ok || at > c.Past.Next) {
				w.failf("%s waits for a restart that nobody will make", c.Name)
			}
		}
		return true
	})
	if what := w.m.Broken(); what != "" {
		w.failf("%s", what)
	}
	if n := w.m.Count(); n.Active != live || !w.c.Dynamic && n.Specs != size {
		w.failf("count is %+v, want %d of %d", n, live, size)
	}
	if w.m.Phase() == Ending && live == 0 || w.m.Busy() && !transient {
		w.failf("nothing can leave this state: phase %d", w.m.Phase())
	}
	if !transient && w.m.Phase() == Up {
		for r, n := range w.asked {
			if n == 0 {
				w.failf("nobody will answer %+v", *r)
			}
		}
	}
}

// window counts the restarts of c by itself: the machine must never have
// allowed more than its intensity says.
func (w *world) window(c *Child) {
	in := w.c.Intensity
	if c.Past == nil || in.Restarts == strategies.Unlimited || w.forNow {
		return
	}
	key := c
	if !in.Each {
		key = nil
	}
	for ; w.seen[c] < c.Past.Restarts; w.seen[c]++ {
		w.counted[key] = append(w.counted[key], w.now)
	}
	w.counted[key] = slices.DeleteFunc(w.counted[key], func(at time.Duration) bool { return w.now-at > in.Period })
	if n := len(w.counted[key]); n > in.Restarts {
		w.failf("%d restarts within %v, of which %s had the last", n, in.Period, c.Name)
	}
}

func (w *world) input(what string, actions []Action) {
	w.t.Helper()
	w.log("%s", what)
	w.do(actions)
	if !w.over {
		w.check()
	}
}

// someRun is a live run, if there is one.
func (w *world) someRun() (*Child, *play) {
	var all []*Child
	for c, runs := range w.runs {
		if len(runs) > 0 {
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	slices.SortFunc(all, func(a, b *Child) int { return strings.Compare(a.Name, b.Name) })
	c := all[w.in.n(len(all))]
	return c, w.runs[c][w.in.n(len(w.runs[c]))]
}

func (w *world) exit(c *Child, p *play, exit child.Exit, v Verdict) {
	w.runs[c] = slices.DeleteFunc(w.runs[c], func(q *play) bool { return q == p })
	if p.told {
		v = ByType
	}
	exit.Temporary = exit.Temporary && exit.Kind == child.StartFailed
	w.forNow = w.forNow || exit.Temporary
	w.input(fmt.Sprintf("exit %s #%d %s %d", c.Name, p.incarnation, exit.Kind, v), w.m.Exited(c, p.incarnation, &exit, v, w.now))
}

func (w *world) ask() {
	s := &w.in
	r := &Request{Op: pick(s, Start, Terminate, Restart, Delete, Bounce, RestartAll)}
	r.Name = fmt.Sprintf("c%d", s.n(7))
	if r.Op == Start {
		r.Child = &Child{Name: r.Name, Policy: w.policy()}
	}
	if c, p := w.someRun(); c != nil && s.n(3) == 0 && p.incarnation == c.Incarnation {
		r.Caller = c
	}
	w.asked[r] = 0
	w.input(fmt.Sprintf("ask %d %s", r.Op, r.Name), w.m.Ask(r, w.now))
}

func (w *world) step() {
	s := &w.in
	w.now += time.Duration(s.n(3)) * 300 * time.Millisecond
	if at, ok := w.m.Deadline(); ok && at <= w.now && s.n(4) > 0 { // sometimes other news comes first
		w.input("tick", w.m.Tick(w.now))
		if at, ok := w.m.Deadline(); ok && at <= w.now && !w.over {
			w.failf("a deadline of %v has passed and stays", at)
		}
		if w.over {
			return
		}
	}
	switch c, p := w.someRun(); s.n(12) {
	case 0, 1, 2:
		if c != nil {
			w.exit(c, p, child.Exit{Kind: pick(s, child.Failed, child.Normal, child.Panicked, child.StartFailed, child.GaveUp), Temporary: s.n(16) == 1},
				pick(s, ByType, ByType, ByType, ByType, Verdict(child.RestartIt), Verdict(child.CompleteIt), Verdict(child.EscalateIt), NeverAgain, EndTree))
		}
	case 3, 4, 5:
		if c != nil {
			w.input("ready "+c.Name, w.m.Ready(c, p.incarnation, w.now))
		}
	case 6, 7:
		w.ask()
	case 8, 9:
		if at, ok := w.m.Deadline(); ok {
			w.now = max(w.now, at)
			w.input("tick", w.m.Tick(w.now))
		}
	case 10:
		if c != nil && s.n(4) == 0 {
			w.input("fail "+c.Name, w.m.Fail(c, p.incarnation, child.ByPing, w.now))
		}
	case 11:
		switch s.n(16) {
		case 0:
			w.input("stop", w.m.Stop(w.now))
		case 1:
			w.input("kill all", w.m.KillAll(w.now))
		}
	}
}

// finish stops the supervisor and lets every run end, the told ones first.
func (w *world) finish() {
	w.in.data = nil
	if w.over {
		return
	}
	w.input("stop", w.m.Stop(w.now))
	for n := 0; !w.over; n++ {
		if n > 10000 {
			w.failf("the stop does not end")
		}
		ended := false
		for c, runs := range w.runs {
			for _, p := range runs {
				if p.told && !w.over {
					w.exit(c, p, child.Exit{}, ByType)
					ended = true
					break
				}
			}
			if ended {
				break
			}
		}
		if at, ok := w.m.Deadline(); !ended && !w.over {
			if !ok {
				w.failf("the stop waits for nothing")
			}
			w.now = max(w.now, at)
			w.input("tick", w.m.Tick(w.now))
		}
	}
}

func play1(t *testing.T, data []byte) {
	w := newWorld(t, data)
	w.input("start", w.m.Start(0))
	for len(w.in.data) > 0 && !w.over {
		w.step()
	}
	w.finish()
}

// FuzzMachine plays random children, callers and clocks, and checks what must
// always hold.
func FuzzMachine(f *testing.F) {
	for seed := range uint64(50) {
		f.Add(randomBytes(seed, 400))
	}
	f.Fuzz(play1)
}

func randomBytes(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}

func TestRandomLives(t *testing.T) {
	for seed := range uint64(20_000) {
		if play1(t, randomBytes(seed, 60+int(seed%400))); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
