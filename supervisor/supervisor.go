package supervisor

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor/internal/machine"
	"github.com/thejerf/suture/v4"
)

// Supervisor is the root of a tree at run time. Make it with [New] or [Start].
// All its methods may be called from any goroutine at any time.
//
// It is a [child.Service]: a suture supervisor can run it, and a coppice tree
// too, in which it is a supervisor like any other: part of that tree, with the
// options of that one, and asked and stopped through that one. Its own methods
// know nothing of such a life. A second Serve, after the first has returned,
// starts afresh from the spec; incarnations and the numbers of events go on.
type Supervisor struct {
	tree *tree
	plan *plan

	mu   sync.Mutex // protects life
	life *life
}

// life is one Serve of the root.
type life struct {
	complete chan struct{} // closed when all children have started
	done     chan struct{} // closed when it is over
	stops    chan stop     // calls of Stop
	err      error         // what Run returns; set before done is closed
	begun    bool
}

// stop is a call of Stop: the deadline of the whole stop, zero for none.
type stop struct{ deadline time.Time }

func newLife() *life {
	return &life{complete: make(chan struct{}), done: make(chan struct{}), stops: make(chan stop)}
}

// begin is the life that a Serve is about to lead.
func (s *Supervisor) begin() (*life, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life.begun {
		select {
		case <-s.life.done:
			s.life = newLife()
		default:
			return nil, ErrServing
		}
	}
	s.life.begun = true
	return s.life, nil
}

// current is the life that is led, or that was led last, or the first to come.
func (s *Supervisor) current() *life {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.life
}

// Serve runs the tree until it ends. For a foreign parent such as suture it
// returns nil or ctx's error at the end of ctx, suture.ErrDoNotRestart after
// Stop and after an automatic shutdown, and why it ended otherwise. While it
// serves, another Serve returns [ErrServing].
func (s *Supervisor) Serve(ctx context.Context) error {
	if r := runOf(ctx); r != nil && r.child.Policy.Supervisor {
		return serveNested(ctx, r, s.plan)
	}
	err := s.serve(ctx, func() { child.Ready(ctx) })
	var exit *ExitError
	switch {
	case err == ErrServing: //nolint:errorlint // what is in err may be the user's
		return err
	case errors.As(err, &exit) && exit.Cause == TreeTerminated:
		return err
	case errors.As(err, &exit) && exit.Cause == ShutDown:
		return suture.ErrDoNotRestart
	case err != nil:
		return opaque(err)
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return suture.ErrDoNotRestart
}

// opaque hides suture's two errors in the chain of err: a child's panic with
// one of them, say, is no word to the supervisor above this tree.
func opaque(err error) (safe error) {
	defer func() {
		if recover() != nil { // Is and Unwrap are the user's
			safe = errors.New(err.Error())
		}
	}()
	if errors.Is(err, suture.ErrDoNotRestart) || errors.Is(err, suture.ErrTerminateSupervisorTree) {
		return errors.New(err.Error())
	}
	return err
}

// Announces: the start of a supervisor is complete when its children's are.
func (s *Supervisor) Announces() bool { return true }

// String is the supervisor's name.
func (s *Supervisor) String() string { return "supervisor " + s.plan.spec.Name }

// serve leads a life of the root, and calls complete when all children have
// started.
func (s *Supervisor) serve(ctx context.Context, complete func()) error {
	l, err := s.begin()
	if err != nil {
		return err
	}
	t := s.tree
	n := newNode(t, nil, s.plan.spec.Name, s.plan, context.WithoutCancel(ctx))
	t.root.Store(n)
	n.ledger.opened()
	t.log.open()
	n.start()
	s.attend(ctx, n, l, complete)
	l.err = n.result()
	t.log.close()
	t.hub.wake()
	close(l.done)
	return l.err
}

// budget is how long a whole stop may take that names no deadline.
func (s *Supervisor) budget() time.Duration {
	switch grace := s.plan.spec.Shutdown; grace {
	case 0:
		return RootShutdown
	case child.BrutalKill:
		return 0
	default:
		return grace
	}
}

// Stop stops the tree in order and waits until it has stopped. The deadline of
// ctx, if it has one, is the budget of the whole stop: what is left then is
// killed in one step. A ctx that is cancelled ends the wait, not the stop.
// Stop returns nil, a [*StopError] if runs were left behind, or ctx's cause.
// After the tree has ended, or before it was served, it returns at once.
func (s *Supervisor) Stop(ctx context.Context) error {
	l := s.current()
	s.mu.Lock()
	begun := l.begun
	s.mu.Unlock()
	if !begun {
		return nil
	}
	deadline, _ := ctx.Deadline()
	select {
	case l.stops <- stop{deadline}:
	case <-l.done:
		return stopError(l.err)
	}
	wait := ctx.Done()
	for {
		select {
		case <-l.done:
			return stopError(l.err)
		case <-wait:
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return context.Cause(ctx)
			}
			wait = nil // the stop itself ends now, and says who blocked it
		}
	}
}

// stopError is the part of a life's error that concerns the stop.
func stopError(err error) error {
	if s, ok := err.(*StopError); ok { //nolint:errorlint // what is in err may be the user's
		return s
	}
	return nil
}

// Wait waits until the tree has ended and returns what [Run] would. Before the
// first Serve it waits for that, too.
func (s *Supervisor) Wait() error {
	l := s.current()
	<-l.done
	return l.err
}

// Done is closed when the tree has ended. A later Serve has another.
func (s *Supervisor) Done() <-chan struct{} { return s.current().done }

// Redact hides secrets in a text as the tree's [Options] say. Whoever shows arguments
// or lines of output passes them through it.
func (s *Supervisor) Redact(text string) string { return s.tree.options.redact(text) }

// Ref is the root's place.
func (s *Supervisor) Ref() Ref { return Ref{s.tree, s.plan.spec.Name} }

// Find is the place at path, which is told as everywhere: from the root's name
// down, as in shop/ingest/writer. Whether anything is there shows in a call.
func (s *Supervisor) Find(path string) Ref { return Ref{s.tree, path} }

// serveNested leads one life of a supervisor below the root, which is the run
// r of its parent.
func serveNested(ctx context.Context, r *run, p *plan) error {
	n := newNode(r.node.tree, r, r.Path(), p, r.node.values)
	if !r.adopt(n) {
		return ErrServing
	}
	n.ledger.opened()
	n.start()
	complete, asked, killed := n.complete, ctx.Done(), r.Killed()
	for {
		select {
		case <-complete:
			complete = nil
			r.Ready()
		case <-asked:
			asked = nil
			n.stop()
		case <-killed:
			killed = nil
			n.kill()
		case <-n.over:
			return n.verdictAbove()
		}
	}
}

// verdictAbove is what a nested supervisor tells the one above.
func (n *node) verdictAbove() error {
	err := n.result()
	var exit *ExitError
	if !errors.As(err, &exit) {
		if n.m.End().Cause == machine.Automatic {
			return &child.EndError{Kind: child.ShutDown}
		}
		return err
	}
	switch exit.Cause {
	case GaveUp:
		return &child.EndError{Kind: child.GaveUp, Err: err}
	case InitFailed:
		return &child.EndError{Kind: child.StartFailed, Err: err}
	case ShutDown:
		return &child.EndError{Kind: child.ShutDown, Err: err}
	}
	return err
}
