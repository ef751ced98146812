package isolated

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
)

// LastWords is how long a copy lives on when the grace of its stop is over:
// [child.Killed] is closed in it then, and it can still say or save something.
// A stop with a grace shorter than that gives no time for last words.
const LastWords = 100 * time.Millisecond

// A gate stands between the run of a child and its process. The start is not
// complete when the program executes, and the kill waits for the last words.
type gate struct {
	child.Runtime // of the run
	ctx           context.Context
	task          taskMessage
	callsReady    bool
	alone         bool                  // there is no supervisor
	started       func(*process.Handle) // is called when the process has

	killed chan struct{} // closed when the process is to be killed
	abort  chan struct{} // closed when that is to be at once
	once   sync.Once     // of abort
	over   chan struct{} // closed when the run is

	mu     sync.Mutex // protects what follows
	talk   *talk      // nil until the process has started
	signs  int        // of the start that have come: the process's, and the copy's
	facts  child.Facts
	status string // what the function says about itself; empty is nothing
}

func newGate(ctx context.Context, callsReady bool, t taskMessage) *gate {
	g := &gate{
		Runtime: child.FromContext(ctx), ctx: ctx, task: t, callsReady: callsReady,
		killed: make(chan struct{}), abort: make(chan struct{}), over: make(chan struct{}),
	}
	if g.Runtime == nil {
		g.Runtime, g.alone = nobody{}, true
	}
	go g.watch()
	return g
}

// context is that of the process.
func (g *gate) context() context.Context {
	return context.WithValue(g.ctx, child.RuntimeKey{}, g)
}

// Unwrap is the runtime of the run, for the hooks of the command.
func (g *gate) Unwrap() child.Runtime { return g.Runtime }

// Ready is a sign from the process. That the program executes, and what else
// its command waits for, is not enough: the copy has a say too.
func (g *gate) Ready() { g.sign(processSign) }

// The signs of a start.
const (
	processSign = 1 << iota
	copySign
	allSigns = processSign | copySign
)

// sign completes the start when all signs have come.
func (g *gate) sign(one int) {
	g.mu.Lock()
	g.signs |= one
	all := g.signs == allSigns
	g.mu.Unlock()
	if all {
		g.Runtime.Ready()
	}
}

// Killed is closed when the process is to be killed.
func (g *gate) Killed() <-chan struct{} { return g.killed }

// Pulse is that of the run.
func (g *gate) Pulse() *child.Heart { return child.Pulse(g.ctx) }

// Publish passes on what the process offers. The first is its handle, by which
// the copy can be spoken to.
func (g *gate) Publish(v any) {
	switch v := v.(type) {
	case *process.Handle:
		g.started(v)
		g.begin(v)
	case child.Facts:
		g.tell(func() { g.facts = v })
		return
	}
	g.Runtime.Publish(v)
}

// tell changes what is known of the run, and publishes it.
func (g *gate) tell(change func()) {
	g.mu.Lock()
	change()
	facts := g.facts
	if g.status != "" {
		facts.Status = g.status
	}
	g.mu.Unlock()
	g.Runtime.Publish(facts)
}

// begin begins to speak with the copy.
func (g *gate) begin(h *process.Handle) {
	t := newTalk(g, h)
	g.mu.Lock()
	g.talk = t
	g.mu.Unlock()
	t.begin()
}

// partner is who speaks with the copy, nil before the process has started.
func (g *gate) partner() *talk {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.talk
}

// setStatus tells what the function says about itself.
func (g *gate) setStatus(text string) {
	line := oneLine(child.Redact(g.ctx, text))
	g.tell(func() { g.status = line })
}

// stop is the first rung of the ladder: it ends the context of the function.
func (g *gate) stop(context.Context, *process.Handle) error {
	m := stopMessage{Reason: child.StopReason(g.ctx).String()}
	if cause := context.Cause(g.ctx); cause != nil {
		m.Cause = cause.Error()
	}
	return g.partner().sender.send(stop, m)
}

// cut has the process killed at once.
func (g *gate) cut() { g.once.Do(func() { close(g.abort) }) }

// watch closes killed at the right time.
func (g *gate) watch() {
	select {
	case <-g.ctx.Done():
	case <-g.abort:
		close(g.killed)
		return
	case <-g.over:
		return
	}
	told, grace := time.Now(), child.Killed(g.ctx)
	if g.alone {
		timer := time.NewTimer(child.DefaultShutdown)
		defer timer.Stop()
		g.wait(nil, timer.C)
	} else {
		g.wait(grace, nil)
	}
	if t := g.partner(); t != nil && time.Since(told) >= LastWords {
		go t.sender.send(killed, nil) // nobody may be reading
		timer := time.NewTimer(LastWords)
		defer timer.Stop()
		g.wait(nil, timer.C)
	}
	close(g.killed)
}

// wait waits for one of these, or for a reason not to.
func (g *gate) wait(grace <-chan struct{}, timer <-chan time.Time) {
	select {
	case <-grace:
	case <-timer:
	case <-g.abort:
	case <-g.over:
	}
}

// close ends the gate when the process has ended, and hears it out.
func (g *gate) close() *talk {
	close(g.over)
	t := g.partner()
	if t != nil {
		t.close()
	}
	return t
}

// nobody is the runtime of who runs without a supervisor.
type nobody struct{}

func (nobody) Ready()                  {}
func (nobody) Killed() <-chan struct{} { return nil }
func (nobody) Path() string            { return "" }
func (nobody) Incarnation() uint64     { return 0 }
func (nobody) Logger() *slog.Logger    { return slog.New(slog.DiscardHandler) }
func (nobody) Publish(any)             {}
func (nobody) Redact(s string) string  { return child.HideSecrets(s) }
