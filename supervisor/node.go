package supervisor

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor/internal/machine"
)

// node is one life of one supervisor: a machine, the lock under which it is
// asked, and what performs its actions. It has no goroutine of its own for
// that: whoever brings the news (a run that ended, a caller, the timer) takes
// the lock, asks the machine, and performs what it answers. Nothing of the
// user's is called under the lock.
type node struct {
	tree   *tree
	parent *run // the run that this supervisor is; nil for the root
	path   string
	plan   *plan
	ledger *ledger
	values context.Context // what the contexts of runs take their values from

	complete chan struct{} // closed when all children have started
	ending   chan struct{} // closed when the stop has begun
	blocked  chan struct{} // closed when nothing but stuck runs is left of it
	over     chan struct{} // closed when it has ended
	wanted   atomic.Int32  // callers who wait for the lock
	scaling  chan struct{} // has room for whoever scales the children of the template

	mu      sync.Mutex // protects what follows
	m       *machine.Machine
	now     time.Duration // of the last input
	since   time.Duration // when its phase began
	timer   *time.Timer
	armed   time.Duration // when the timer fires; 0 if it does not
	jitter  bool
	numbers uint64 // names given to children of the template
	left    []*run // runs that do not end
	answers []Answer
	ended   bool
}

// newNode makes the supervisor of p at path, of whose earlier lives the ledger
// tells.
func newNode(t *tree, parent *run, path string, p *plan, values context.Context) *node { //nolint:revive // it is what the runs are given, and not this call's
	n := &node{
		tree: t, parent: parent, path: path, plan: p, values: values, since: t.now(),
		complete: make(chan struct{}), ending: make(chan struct{}),
		blocked: make(chan struct{}), over: make(chan struct{}),
	}
	n.ledger = &t.ledger
	if parent != nil {
		n.ledger = parent.node.ledger.sub(parent.child.Name)
	}
	if p.spec.Template != nil {
		n.scaling = make(chan struct{}, 1)
	}
	slab := make([]machine.Child, len(p.kids))
	kids := make([]*machine.Child, len(p.kids))
	for i, k := range p.kids {
		kids[i] = &slab[i]
		n.fill(kids[i], k)
		n.jitter = n.jitter || k.policy.Backoff.Jitter > 0
	}
	n.m = machine.New(machine.Config{
		Strategy: p.spec.Strategy, Intensity: p.spec.Intensity.WithDefaults(),
		Auto: machine.Auto(p.spec.AutoShutdown), Dynamic: p.spec.Template != nil,
		Together: p.spec.StopTogether, MaxChildren: p.spec.MaxChildren,
	}, kids)
	n.ledger.open(n.m)
	return n
}

// fill makes c the place of the child k.
func (n *node) fill(c *machine.Child, k kid) {
	spec := k.spec.(child.Spec)
	c.Name, c.Spec, c.Policy = spec.Name, k.spec, k.policy
	c.Leftover = n.tree.left.at(n.path, spec.Name)
}

// lock is for callers: a run that begins again in place sees that somebody
// waits and lets go of its processor.
func (n *node) lock() {
	n.wanted.Add(1)
	n.mu.Lock()
	n.wanted.Add(-1)
}

// grab is for runs that have ended. The lock is held for a fraction of a
// microsecond, so looking again costs less than being parked and woken, which
// is what the mutex does at once while other goroutines could run.
func (n *node) grab() {
	for range looks {
		if n.mu.TryLock() {
			return
		}
		for range pause {
			_ = n.wanted.Load()
		}
	}
	n.mu.Lock()
}

const (
	looks = 50 // about a microsecond in all
	pause = 30 // between two looks, so that they do not slow the one who holds it
)

// input asks the machine and performs its answer.
func (n *node) input(ask func(now time.Duration) []machine.Action) {
	n.lock()
	defer n.mu.Unlock()
	n.locked(ask)
}

func (n *node) locked(ask func(now time.Duration) []machine.Action) {
	n.dice()
	now := n.after(n.tree.now())
	n.perform(ask(now), now, nil)
}

// after is now, or the time of the input before if that was later: somebody may
// have read the clock before and got the lock after somebody else.
func (n *node) after(now time.Duration) time.Duration {
	n.now = max(n.now, now)
	return n.now
}

// dice gives the machine a new random number, if it has a use for one.
func (n *node) dice() {
	if n.jitter {
		n.m.Random = rand.Float64()
	}
}

func (n *node) start() { n.input(n.m.Start) }
func (n *node) stop()  { n.input(n.m.Stop) }
func (n *node) kill()  { n.input(n.m.KillAll) }
func (n *node) leave() { n.input(n.m.Leave) }

// ready is what a run says whose start is complete.
func (n *node) ready(r *run) {
	n.input(func(now time.Duration) []machine.Action {
		return n.m.Ready(r.child, r.incarnation, now)
	})
	if r.child.Policy.Watched {
		r.watch()
	}
}

// fail ends a run that failed in a way that it does not know itself.
func (n *node) fail(r *run, why child.Reason) {
	n.input(func(now time.Duration) []machine.Action {
		return n.m.Fail(r.child, r.incarnation, why, now)
	})
}

// exited is what a run says when it has ended, with what the user's code makes of
// that. It returns the next run of the same child if that shall begin in the
// goroutine of this one.
func (n *node) exited(r *run, exit *child.Exit, verdict machine.Verdict, here bool) *run {
	if r.phase.Load() == told {
		r.Explain(exit)
	}
	r.phase.Store(over)
	if r.end(errEnded) {
		n.tree.offers.remove(r)
	}
	if r.child.Policy.Watched {
		r.unwatch()
	}
	var spare *run // what takes time is done before the lock is taken
	if p := r.child.Policy; here && !p.OwnThread && (exit.Kind != child.Normal || p.Restart == child.Permanent) {
		spare = &run{node: n, child: r.child, path: r.path}
	}
	now := n.tree.now()
	n.grab()
	if n.left != nil {
		n.forgive(r)
	}
	n.dice()
	now = n.after(now)
	actions := n.m.Exited(r.child, r.incarnation, exit, verdict, now)
	next := n.perform(actions, now, spare)
	n.mu.Unlock()
	if n.wanted.Load() > 0 {
		runtime.Gosched()
	}
	return next
}

// perform does what the machine wants, in its order. If spare's child is to run,
// spare becomes that run and is returned, and no goroutine is started for it.
func (n *node) perform(actions []machine.Action, now time.Duration, spare *run) (next *run) {
	n.publish(actions, now)
	for i := range actions {
		a := &actions[i]
		switch c := a.Child; a.Do {
		case machine.Launch:
			if spare != nil && spare.child == c && next == nil {
				spare.incarnation, c.Run, next = c.Incarnation, spare, spare
			} else {
				go incarnate(n.newRun(c))
			}
		case machine.Tell:
			r := c.Run.(*run)
			r.phase.Store(told)
			r.end(causes[c.Told])
			if c.Policy.Watched {
				r.unwatch()
			}
		case machine.Kill:
			c.Run.(*run).kill()
		case machine.Note:
			if a.What == machine.Quit {
				n.ledger.quit()
			}
		case machine.Detach:
			n.detach(c)
		case machine.Forget:
			n.ledger.keep(c)
			c.Run = nil
		case machine.Reply:
			close(a.Request.Tag.(chan struct{}))
		case machine.Complete:
			n.ledger.began(now - n.since)
			n.since = now
			close(n.complete)
		case machine.Blocked:
			close(n.blocked)
		case machine.Over:
			n.since = now
			n.finish()
		}
	}
	n.arm(now)
	return next
}

// newRun makes the run that c begins.
func (n *node) newRun(c *machine.Child) *run {
	r := &run{node: n, child: c, incarnation: c.Incarnation, path: n.pathOf(c)}
	c.Run = r
	return r
}

// arm sees to it that the machine is asked at its next deadline. The timer may
// fire too early, for a deadline that is no more: that is cheaper than moving
// it with every one.
func (n *node) arm(now time.Duration) {
	if n.m.Phase() >= machine.Ending && !n.ended {
		n.ended = true
		n.since = now
		close(n.ending)
	}
	at, ok := n.m.Deadline()
	if !ok || n.armed != 0 && n.armed <= at {
		return
	}
	n.armed = max(at, 1)
	if n.timer == nil {
		n.timer = time.AfterFunc(at-now, n.tick)
	} else {
		n.timer.Reset(at - now)
	}
}

// tick is what the timer says.
func (n *node) tick() {
	n.input(func(now time.Duration) []machine.Action {
		n.armed = 0
		return n.m.Tick(now)
	})
}

// finish is the end of this life.
func (n *node) finish() {
	if n.timer != nil {
		n.timer.Stop()
	}
	n.ledger.close(n.m, n.now-n.since)
	close(n.over)
}

// detach leaves a run behind that does not end.
func (n *node) detach(c *machine.Child) {
	r := c.Run.(*run)
	n.left = append(n.left, r)
	if c.Policy.Stuck != child.Abandon {
		n.tree.left.add(r)
	}
}

// forgive takes note that a run which was left behind has ended after all.
func (n *node) forgive(r *run) {
	for i, l := range n.left {
		if l == r {
			n.left = append(n.left[:i], n.left[i+1:]...)
			n.tree.left.remove(r)
			return
		}
	}
}
