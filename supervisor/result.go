package supervisor

import (
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor/internal/machine"
)

// Blocked is a run that was killed and still lives. It is a plain value.
type Blocked struct {
	// Path is the child; never empty.
	Path string
	// Since is how long ago it was told to stop, when the error was made; never
	// negative.
	Since time.Duration
	// Stack is the stack of its goroutine and of those that it started; empty
	// if they have ended meanwhile.
	Stack string
}

// maxAnswers bounds the answers that an ExitError lists.
const maxAnswers = 16

// result is why the supervisor ended, nil if it was asked to or if a
// significant child has ended as it should. It is called once it is over.
func (n *node) result() error {
	n.lock()
	end, answers := n.m.End(), n.answers
	n.mu.Unlock()
	var err error
	blocked := n.blockers()
	clean := end.Cause == machine.Asked || end.Cause == machine.Automatic && !end.Exit.Abnormal()
	if !clean {
		exit := &ExitError{
			Path: n.path, Cause: Cause(end.Cause), Child: n.path + "/" + end.Child.Name,
			Refused: end.Refused, Exit: end.Exit, Answers: answers,
		}
		if end.Child.Past != nil {
			exit.Restarts = end.Child.Past.Restarts
		}
		if isStuck(end.Exit.Err) {
			exit.Stack = stackOf(exit.Child)
		}
		err = exit
	}
	if len(blocked) > 0 && (n.parent == nil || clean) {
		err = &StopError{n.path, blocked, err}
	}
	return err
}

// blockers are the runs that this supervisor has left behind, and those below
// them that they wait for.
func (n *node) blockers() (blocked []Blocked) {
	n.lock()
	left := append([]*run(nil), n.left...)
	now := n.tree.now()
	stuck := map[*run]time.Duration{}
	n.m.Each(func(c *machine.Child) bool {
		if r, ok := c.Run.(*run); ok && c.Live() {
			left = append(left, r)
		}
		return true
	})
	for _, r := range left {
		stuck[r] = now - r.child.Since
	}
	n.mu.Unlock()
	for _, r := range left {
		if r.child.Policy.Stuck == child.Abandon {
			continue
		}
		if sub := r.sub(); sub != nil {
			blocked = append(blocked, sub.blockers()...)
			continue
		}
		blocked = append(blocked, Blocked{r.Path(), stuck[r], stackOf(r.Path())})
	}
	return blocked
}

// isStuck reports whether err says that a run does not end. It asks no method of
// err, which may be the user's.
func isStuck(err error) bool {
	if start, ok := err.(*child.StartError); ok && start != nil { //nolint:errorlint // as said
		err = start.Err
	}
	return err == ErrStuck //nolint:errorlint // as said
}
