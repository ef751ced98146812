package machine_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	. "github.com/coppice-go/coppice/supervisor/internal/machine"
)

// fuzzer plays random children, callers and clocks in a world.
type fuzzer struct {
	*world
	source
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

// one is true once in n times.
func (s *source) one(n int) bool { return s.n(n) == n-1 }

func pick[T any](s *source, of ...T) T { return of[s.n(len(of))] }

// long is a time that nobody lives to see, and that a sum with overflows.
const long = math.MaxInt64 - 1

func (f *fuzzer) policy() *Policy {
	s := &f.source
	p := &Policy{
		Restart: pick(s, child.Permanent, child.Permanent, child.Transient, child.Temporary),
		Stuck:   pick(s, child.Wait, child.Wait, child.Escalate, child.Abandon), Supervisor: s.one(6),
		Announces: s.one(2), Patience: pick(s, time.Second, child.Infinity, long),
		Grace: pick(s, time.Second, child.BrutalKill, child.Infinity, 0, long),
		Backoff: pick(s, strategies.Backoff{Min: strategies.None}, strategies.Backoff{},
			strategies.Backoff{Jitter: 1}, strategies.Backoff{Min: long}).WithDefaults(),
	}
	if s.one(4) {
		p.MaxRun = pick(s, time.Second, long)
	}
	p.Significant = p.Restart != child.Permanent && f.c.Auto != Never && s.one(2)
	return p
}

func newFuzzer(t *testing.T, data []byte) *fuzzer {
	f := &fuzzer{emptyWorld(t), source{data}}
	s := &f.source
	f.c = Config{
		Strategy: pick(s, strategies.OneForOne, strategies.OneForAll, strategies.RestForOne),
		Intensity: pick(s,
			strategies.Intensity{Restarts: 3, Period: 10 * time.Second},
			strategies.Intensity{Restarts: 1, Period: time.Hour, Each: true},
			strategies.Intensity{Restarts: strategies.Unlimited, Period: time.Second},
			strategies.Intensity{Restarts: 2, Period: time.Second, Each: true},
			strategies.Intensity{Period: time.Hour}),
		Auto: pick(s, Never, Never, AnySignificant, AllSignificant), Dynamic: s.one(6), Together: s.one(4),
	}
	var kids []*Child
	if f.c.Dynamic {
		f.c.Strategy, f.c.Auto, f.c.MaxChildren = pick(s, strategies.OneForOne, strategies.SimpleOneForOne), Never, 6
	} else {
		for i := range s.n(6) {
			c := &Child{Name: fmt.Sprintf("c%d", i), Policy: f.policy(), Leftover: s.one(32)}
			kids = append(kids, c)
		}
	}
	f.create(kids)
	return f
}

// someRun is a run that lives, if there is one.
func (f *fuzzer) someRun() (*Child, *play) {
	all := f.living()
	if len(all) == 0 {
		return nil, nil
	}
	c := all[f.n(len(all))]
	return c, f.runs[c][f.n(len(f.runs[c]))]
}

// living are the children of which runs live, in an order that is always the
// same.
func (w *world) living() (all []*Child) {
	for c, runs := range w.runs {
		if len(runs) > 0 {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b *Child) int {
		// Two of one name may live, if one was left behind and lost its place.
		return cmp.Or(strings.Compare(a.Name, b.Name), w.born[a]-w.born[b])
	})
	return all
}

func (f *fuzzer) ask() {
	s := &f.source
	r := &Request{Op: pick(s, Start, Terminate, Restart, Delete, Bounce, RestartAll, Hold)}
	r.Name = fmt.Sprintf("c%d", s.n(7))
	if r.Op == Start {
		r.Child = &Child{Name: r.Name, Policy: f.policy()}
	}
	if c, p := f.someRun(); c != nil && s.one(3) && p.incarnation == c.Incarnation {
		r.Caller = c
	}
	f.asked[r] = 0
	f.input(fmt.Sprintf("ask %d %s", r.Op, r.Name), f.m.Ask(r, f.now))
	if f.over && r.Err != ErrStopped {
		f.failf("a call after the end was answered with %v", r.Err)
	}
}

// step lets something happen.
func (f *fuzzer) step() {
	s := &f.source
	f.now += time.Duration(s.n(3)) * 300 * time.Millisecond
	f.m.Random = float64(s.n(4)) / 4
	if at, ok := f.m.Deadline(); ok && at <= f.now && !s.one(4) { // sometimes other news comes first
		f.tick()
	}
	switch c, p := f.someRun(); s.n(12) {
	case 0, 1, 2:
		f.end1(c, p)
	case 3, 4, 5:
		if c != nil {
			f.input(f.ready(c, p))
		}
	case 6, 7:
		f.ask()
	case 8, 9:
		if at, ok := f.m.Deadline(); ok && at < long/2 {
			f.now = max(f.now, at)
			f.tick()
		}
	case 10:
		if c != nil && s.one(4) {
			f.input("fail "+c.Name, f.m.Fail(c, p.incarnation, pick(s, child.ByPing, child.ByLimit), f.now))
		}
	case 11:
		f.leave()
	}
}

// end1 ends a run in some way.
func (f *fuzzer) end1(c *Child, p *play) {
	if c == nil {
		return
	}
	s := &f.source
	exit := child.Exit{Kind: pick(s, child.Failed, child.Normal, child.Panicked, child.StartFailed, child.GaveUp, child.ShutDown)}
	exit.Temporary = exit.Kind == child.StartFailed && s.one(2)
	verdict := pick(s, ByType, ByType, ByType, ByType, ByType, ByType,
		Verdict(child.RestartIt), Verdict(child.CompleteIt), Verdict(child.EscalateIt), NeverAgain, EndTree)
	f.input(f.gone(c, p, exit, verdict))
}

// leave is the beginning of the end.
func (f *fuzzer) leave() {
	switch f.n(16) {
	case 0:
		f.input("stop", f.m.Stop(f.now))
	case 1:
		f.killed = true
		f.input("kill all", f.m.KillAll(f.now))
	case 2, 3, 4:
		f.input("leave", f.m.Leave(f.now))
	}
}

// finish stops the supervisor and lets every run end that was told to. That
// must be the end, whatever went on before.
func (w *world) finish() {
	w.input("stop", w.m.Stop(w.now))
	for n := 0; !w.over; n++ {
		if n > 1000 {
			w.failf("the stop does not end")
		}
		if !w.endTold() {
			at, ok := w.m.Deadline()
			if !ok {
				w.failf("the stop waits for nothing")
			}
			w.now = max(w.now, at)
			w.tick()
		}
	}
	w.input("late news", append(append(w.m.Tick(w.now), w.m.Stop(w.now)...), w.m.KillAll(w.now)...))
}

// endTold ends a run that was told to.
func (w *world) endTold() bool {
	for _, c := range w.living() {
		for _, p := range w.runs[c] {
			if p.told && !p.left {
				w.input(w.gone(c, p, child.Exit{}, ByType))
				return true
			}
		}
	}
	return false
}

func playRandom(t *testing.T, data []byte) {
	f := newFuzzer(t, data)
	if f.one(32) {
		f.input("stop", f.m.Stop(f.now))
	}
	f.input("start", f.m.Start(f.now))
	for len(f.data) > 0 {
		f.step()
	}
	f.finish()
}

// FuzzMachine plays random children, callers and clocks, and checks what must
// always hold.
func FuzzMachine(f *testing.F) {
	for seed := range uint64(50) {
		f.Add(randomBytes(seed, 400))
	}
	f.Fuzz(playRandom)
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
		if playRandom(t, randomBytes(seed, 60+int(seed%400))); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func TestALongLife(t *testing.T) {
	playRandom(t, randomBytes(1, 200_000))
}

// Children that come and go leave holes in the order, which have to be closed.
func TestThousandsComeAndGo(t *testing.T) {
	w := emptyWorld(t)
	w.c = Config{Strategy: strategies.RestForOne, Intensity: strategies.Celery()}
	w.create(nil)
	w.input("start", w.m.Start(0))
	r := rand.New(rand.NewPCG(2, 1))
	for n := range 3000 {
		c := &Child{Name: fmt.Sprint(n), Policy: &Policy{Restart: child.Temporary, Grace: child.Infinity}}
		w.input("come", w.m.Ask(&Request{Op: Start, Name: c.Name, Child: c}, 0))
		for len(w.kids) > 0 && r.IntN(50) < len(w.kids) {
			gone := w.kids[r.IntN(len(w.kids))]
			w.input(w.gone(gone, w.current(gone), child.Exit{}, ByType))
		}
	}
	if n := w.m.Places(); n > 2*w.m.Len()+32 {
		t.Errorf("%d children have an order of %d places", w.m.Len(), n)
	}
	w.finish()
}
