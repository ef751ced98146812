package supervisor

import (
	"context"
	"time"

	"github.com/coppice-go/coppice/child"
)

// attendance is what is waited for that concerns the root as a whole.
type attendance struct {
	sup      *Supervisor
	node     *node
	drain    *time.Timer // fires when the stop begins
	budget   *time.Timer // fires when the stop has to be over
	deadline time.Time   // when that is, zero while nobody knows
	told     bool        // somebody wants it to stop
}

// attend waits for what concerns the root as a whole: the start is complete,
// somebody wants it to stop, the budget of the stop is over, it has ended.
func (s *Supervisor) attend(ctx context.Context, n *node, l *life, started func()) {
	a := attendance{sup: s, node: n, drain: time.NewTimer(child.Infinity), budget: time.NewTimer(child.Infinity)}
	defer a.drain.Stop()
	defer a.budget.Stop()
	defer s.tree.draining.Store(false)
	complete, ending, asked := n.complete, n.ending, ctx.Done()
	var blocked chan struct{}
	for {
		select {
		case <-complete:
			complete = nil
			close(l.complete)
			started()
		case <-asked:
			asked = nil
			a.stop(complete == nil)
		case call := <-l.stops:
			a.stop(complete == nil)
			a.tighten(call.deadline)
		case <-a.drain.C:
			n.stop()
		case <-ending:
			ending = nil
			if grace := s.budget(); a.deadline.IsZero() && grace != child.Infinity {
				a.tighten(time.Now().Add(grace))
			}
		case <-a.budget.C:
			n.kill()
			blocked = n.blocked
		case <-blocked:
			blocked = nil
			n.leave()
		case <-n.over:
			return
		}
	}
}

// stop begins the stop, at once or after the drain if there is somebody to
// hear of it: if the tree had started, and for the first who asks.
func (a *attendance) stop(up bool) {
	wait := a.sup.tree.options.Drain
	if a.told || !up || wait == 0 {
		a.node.stop()
	} else {
		a.sup.tree.draining.Store(true)
		a.drain.Reset(wait)
	}
	a.told = true
}

// tighten makes at the end of the stop, unless that is earlier already; the
// zero time is none.
func (a *attendance) tighten(at time.Time) {
	if at.IsZero() || !a.deadline.IsZero() && !at.Before(a.deadline) {
		return
	}
	a.deadline = at
	a.budget.Reset(time.Until(at))
}
