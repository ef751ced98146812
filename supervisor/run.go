package supervisor

import (
	"context"
	"log/slog"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor/internal/machine"
)

// run is one incarnation of a child, and the context that it is given.
//
// As a context it has the values of the context that the tree was started
// with, but neither its cancellation nor its deadline, which would break the
// order of a stop. Everything else is made when it is first asked for, since
// most runs of a child that keeps failing ask for nothing: the channel of Done,
// and a real cancel context for what the standard library looks for in the
// values, so that context.Cause knows why the run was stopped. What is derived
// from a run hangs on its AfterFunc and starts no goroutine.
type run struct {
	node        *node
	child       *machine.Child
	incarnation uint64
	path        string
	phase       atomic.Uint32 // live, told or over

	mu    sync.Mutex // protects what follows
	cause *cause     // why the context ended; nil while it lives
	done  chan struct{}
	rare  *rare
}

// The phases of a run.
const (
	live uint32 = iota
	told        // it was told to stop
	over        // it has ended
)

// rare is what most runs never need.
type rare struct {
	killed  chan struct{}
	dead    bool   // the grace is over
	sub     *node  // the supervisor that this run is
	offers  bool   // it has published something
	vital   *vital // if it is watched
	verdict *cause // why it is going to be told to stop, if somebody knows more than the reason
	inner   context.Context
	cancel  context.CancelCauseFunc
	after   *hook // what AfterFunc was given
}

// Why the context of a run ended, as context.Cause tells.
var (
	errEnded = &cause{text: "the run has ended"}
	causes   = [...]*cause{
		child.ByShutdown:  {child.ByShutdown, "the supervisor stops"},
		child.ByCall:      {child.ByCall, "terminated by a call"},
		child.ByGroup:     {child.ByGroup, "a sibling failed"},
		child.ByBounce:    {child.ByBounce, "bounced by a call"},
		child.ByReadiness: {child.ByReadiness, notReady},
		child.ByPing:      {child.ByPing, "no answer to a ping"},
		child.ByLimit:     {child.ByLimit, "over a limit"},
		child.ByBeat:      {child.ByBeat, "no beat"},
		child.ByMaxRun:    {child.ByMaxRun, "it ran for as long as it may"},
	}
)

const notReady = "not ready in time"

// cause is an error that takes little room in a run.
type cause struct {
	reason child.Reason
	text   string
}

func (c *cause) Error() string { return "coppice: " + c.text }

// StopReason is what [child.StopReason] looks for.
func (c *cause) StopReason() child.Reason { return c.reason }

// runOf is the run that ctx belongs to, or nil, whoever stands before it.
func runOf(ctx context.Context) *run {
	r := child.FromContext(ctx)
	for {
		front, ok := r.(interface{ Unwrap() child.Runtime })
		if !ok {
			break
		}
		r = front.Unwrap()
	}
	run, _ := r.(*run)
	return run
}

// end ends the context. The first cause stays. It reports whether the run has
// published anything.
func (r *run) end(why *cause) (offers bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rare != nil {
		offers = r.rare.offers
	}
	if r.cause != nil {
		return offers
	}
	if r.rare != nil && r.rare.verdict != nil && r.rare.verdict.reason == why.reason {
		why = r.rare.verdict
	}
	r.cause = why
	if r.done != nil {
		close(r.done)
	}
	if r.rare != nil {
		r.rare.end(why)
	}
	return offers
}

// end ends what was derived from the run. The functions are the standard
// library's, but may be anybody's, and the run's lock is held.
func (r *rare) end(why *cause) {
	if r.cancel != nil {
		r.cancel(why)
	}
	if first := r.after; first != nil {
		r.after = nil
		go first.run()
	}
}

// Deadline is that of no deadline.
func (r *run) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done is closed when the run is told to stop and when it has ended.
func (r *run) Done() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done == nil {
		r.done = make(chan struct{})
		if r.cause != nil {
			close(r.done)
		}
	}
	return r.done
}

// Err is context.Canceled once the context has ended.
func (r *run) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cause == nil {
		return nil
	}
	return context.Canceled
}

// Value finds the run itself; everything else lies in a real cancel context,
// also what context.Cause looks for.
func (r *run) Value(key any) any {
	if _, ok := key.(child.RuntimeKey); ok {
		return r
	}
	return r.real().Value(key)
}

// real is a cancel context that ends with the run, made at the first need.
func (r *run) real() context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	rare := r.seldom()
	if rare.inner == nil {
		rare.inner, rare.cancel = context.WithCancelCause(r.labels())
		if r.cause != nil {
			rare.cancel(r.cause)
		}
	}
	return rare.inner
}

// labels is a context with the pprof label of the run.
func (r *run) labels() context.Context {
	return pprof.WithLabels(r.node.values, pprof.Labels(label, r.path))
}

// Ready completes the start, or that part of it which is the run's own.
func (r *run) Ready() {
	if r.child.Policy.Watched {
		r.met(call)
		return
	}
	r.node.ready(r)
}

// Killed is closed when the grace is over.
func (r *run) Killed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	rare := r.seldom()
	if rare.killed == nil {
		rare.killed = make(chan struct{})
		if rare.dead {
			close(rare.killed)
		}
	}
	return rare.killed
}

// Grace is how long a stop of the run may take, by its spec. A service that
// ends by itself what it guards takes no longer.
func (r *run) Grace() time.Duration { return r.child.Policy.Grace }

// kill ends the grace.
func (r *run) kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	rare := r.seldom()
	if !rare.dead {
		rare.dead = true
		if rare.killed != nil {
			close(rare.killed)
		}
	}
}

// seldom is the run's rare, made at the first need. Its caller holds the lock.
func (r *run) seldom() *rare {
	if r.rare == nil {
		r.rare = new(rare)
	}
	return r.rare
}

// Path is the place of the child.
func (r *run) Path() string { return r.path }

// Incarnation is the number of the run.
func (r *run) Incarnation() uint64 { return r.incarnation }

// Logger is the tree's logger for this run.
func (r *run) Logger() *slog.Logger {
	return r.node.tree.options.logger().With("path", r.Path(), "incarnation", r.incarnation)
}

// Redact applies the tree's redactor.
func (r *run) Redact(s string) string { return r.node.tree.options.redact(s) }

// Publish offers v on behalf of the run.
func (r *run) Publish(v any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.phase.Load() != over {
		r.seldom().offers = true
		r.node.tree.offers.add(r, v)
	}
}

// sub is the supervisor that the run is, if it is one and has begun.
func (r *run) sub() *node {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rare == nil {
		return nil
	}
	return r.rare.sub
}

// adopt makes n the supervisor that the run is; false if it is one already.
func (r *run) adopt(n *node) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	rare := r.seldom()
	if rare.sub != nil {
		return false
	}
	rare.sub = n
	return true
}
