package supervisor

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor/internal/machine"
)

// The calls that change a tree are OTP's, with OTP's answers. The ctx of a
// call bounds how long the caller waits, never what the supervisor does. A
// child's call about itself, or about who is above it, returns when that child
// is told to stop, if its ctx has the values of that child's. A call from within a child that the supervisor is
// just starting, and that would have to wait for that start, is answered with
// [ErrStarting].

// StartChild adds a child to the supervisor at r, as its last, starts it, and
// returns when its start is complete, with the place of the child. If r has a
// Template, spec is the argument for that; otherwise it is a [child.Specer]. A
// child that fails to start is not kept. Siblings are not touched, and nothing
// is counted.
func (r Ref) StartChild(ctx context.Context, spec any) (Ref, error) {
	const call = "start_child"
	n, err := r.supervisor()
	if err != nil {
		return Ref{}, &CallError{call, r.path, err}
	}
	made, err := n.specFor(ctx, spec)
	if err != nil {
		return Ref{}, &CallError{call, r.path, err}
	}
	name, err := n.startChild(ctx, made)
	if name == "" {
		return Ref{}, &CallError{call, r.path, err}
	}
	at := r.Child(name)
	return at, callError(call, at.path, err)
}

// startChild adds a child and starts it. Without a name nothing was tried.
func (n *node) startChild(ctx context.Context, made child.Specer) (name string, err error) {
	k, err := planChild(&n.plan.spec, n.path, made)
	if err != nil {
		return "", err
	}
	c := new(machine.Child)
	n.fill(c, k)
	if k.policy.Backoff.Jitter > 0 {
		n.lock()
		n.jitter = true
		n.mu.Unlock()
	}
	return c.Name, n.ask(ctx, &machine.Request{Op: machine.Start, Name: c.Name, Child: c})
}

// TerminateChild stops the child of that name and returns when it has ended.
// It stays down, unless its group is restarted; a temporary child and one of a
// template lose their places. Of one that waits for a restart it cancels the
// restart.
func (r Ref) TerminateChild(ctx context.Context, name string) error {
	return r.call(ctx, "terminate_child", machine.Terminate, name)
}

// RestartChild starts the child of that name, which is down, and returns when
// its start is complete. If it fails it stays down.
func (r Ref) RestartChild(ctx context.Context, name string) error {
	return r.call(ctx, "restart_child", machine.Restart, name)
}

// DeleteChild forgets the child of that name, which is down.
func (r Ref) DeleteChild(ctx context.Context, name string) error {
	return r.call(ctx, "delete_child", machine.Delete, name)
}

// Bounce stops the child at r and starts it again in its place, its siblings
// untouched, and returns when its start is complete. It is not counted, and
// the delay is reset. A child that waits for a restart is tried now, one that
// is down is started. If the new start fails, it follows the rules for a
// failed restart.
func (r Ref) Bounce(ctx context.Context) error {
	const call = "bounce"
	at, err := r.resolve()
	switch {
	case err != nil:
		return &CallError{call, r.path, err}
	case at.above == nil:
		return &CallError{call, r.path, ErrRootBounce}
	}
	return callError(call, r.path, at.above.ask(ctx, &machine.Request{Op: machine.Bounce, Name: at.name}))
}

// RestartAll stops the children of the supervisor at r in reverse order and
// starts those again, in order, that ran or waited for a restart. It is not
// counted, and the delays are reset. What was down stays down.
func (r Ref) RestartAll(ctx context.Context) error {
	return r.call(ctx, "restart_all", machine.RestartAll, "")
}

// call makes a call about a child of the supervisor at r.
func (r Ref) call(ctx context.Context, call string, op machine.Op, name string) error {
	n, err := r.supervisor()
	if err != nil {
		return &CallError{call, r.path, err}
	}
	path := r.path
	if name != "" {
		path += "/" + name
	}
	return callError(call, path, n.ask(ctx, &machine.Request{Op: op, Name: name}))
}

func callError(call, path string, err error) error {
	if err == nil {
		return nil
	}
	return &CallError{call, path, err}
}

// ask makes a call and waits for the answer.
func (n *node) ask(ctx context.Context, req *machine.Request) error {
	n.post(ctx, req)
	return n.await(ctx, req)
}

// post makes a call.
func (n *node) post(ctx context.Context, req *machine.Request) {
	req.Tag = make(chan struct{})
	caller := runOf(ctx)
	n.input(func(now time.Duration) []machine.Action {
		req.Caller = n.callerOf(caller)
		if req.Child != nil { // from here on the machine hears of whoever leaves the place
			req.Child.Follow(n.ledger.last(req.Name))
		}
		return n.m.Ask(req, now)
	})
}

// await waits for the answer to a call that was made.
func (n *node) await(ctx context.Context, req *machine.Request) error {
	done := req.Tag.(chan struct{})
	select {
	case <-done:
		return answer(req)
	default:
	}
	caller := runOf(ctx)
	var ends <-chan struct{} // the call may be what ends its caller
	if caller != nil && n.reaches(req, caller) {
		ends = caller.Done()
	}
	select {
	case <-done:
		return answer(req)
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-ends:
		return context.Cause(caller)
	}
}

// reaches reports whether the call is about r or about a supervisor above it.
func (n *node) reaches(req *machine.Request, r *run) bool {
	place := n.path
	if req.Name != "" {
		place += "/" + req.Name
	}
	return n.tree == r.node.tree && strings.HasPrefix(r.path+"/", place+"/")
}

// callerOf is the child of n on whose behalf the run calls: itself, or the
// supervisor under which it lives.
func (n *node) callerOf(r *run) *machine.Child {
	for ; r != nil; r = r.node.parent {
		if r.node == n {
			if r.child.Run != any(r) {
				return nil // an earlier incarnation
			}
			return r.child
		}
	}
	return nil
}

// specFor is the spec of a new child of n, not yet checked: what the template
// makes of spec, or spec itself.
func (n *node) specFor(ctx context.Context, spec any) (child.Specer, error) {
	p := &n.plan.spec
	if p.Template != nil {
		made, err := callTemplate(ctx, p.Template, spec)
		if err != nil {
			return nil, err
		}
		if made.Name == "" {
			made.Name = n.nextName()
		}
		return made, nil
	}
	specer, ok := spec.(child.Specer)
	if !ok {
		return nil, fmt.Errorf("a %T is no child.Specer, which a child.Spec and a supervisor.Spec are", spec)
	}
	return specer, nil
}

// nextName is a number that is no child's name.
func (n *node) nextName() string {
	n.lock()
	defer n.mu.Unlock()
	for {
		n.numbers++
		if name := strconv.FormatUint(n.numbers, 10); n.m.Lookup(name) == nil {
			return name
		}
	}
}

var errTemplateEnded = errors.New("the template ended its goroutine")

// callTemplate calls the user's template in a goroutine of its own, in which a
// Goexit harms nobody, and which is left behind if ctx ends before it answers.
func callTemplate(ctx context.Context, template func(any) child.Spec, arg any) (child.Spec, error) {
	type answer struct {
		spec child.Spec
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		a := answer{err: errTemplateEnded}
		defer func() {
			if v := recover(); v != nil {
				a.err = fmt.Errorf("the template panicked: %w", child.Recovered(v))
			}
			answers <- a
		}()
		a.spec = template(arg)
		a.err = nil
	}()
	select {
	case a := <-answers:
		return a.spec, a.err
	case <-ctx.Done():
		return child.Spec{}, context.Cause(ctx)
	}
}

// answer is what the machine has said.
func answer(req *machine.Request) error {
	if errors.Is(req.Err, ErrStartFailed) {
		return &startError{req.Exit}
	}
	return req.Err
}
