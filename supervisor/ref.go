package supervisor

import (
	"context"
	"fmt"
	"strings"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor/internal/machine"
)

// Ref names a place in a tree by its path. It stays good through restarts and
// rebuilding: every call looks up who is there now. The zero value belongs to
// no tree, and its calls say so. Refs can be compared and copied; their
// methods may be called from any goroutine, also from within a child.
type Ref struct {
	tree *tree
	path string
}

// Self is the place of the run that ctx belongs to; the zero Ref without one.
func Self(ctx context.Context) Ref {
	if r := runOf(ctx); r != nil {
		return Ref{r.node.tree, r.Path()}
	}
	return Ref{}
}

// Parent is the supervisor of the run that ctx belongs to; the zero Ref
// without one.
func Parent(ctx context.Context) Ref {
	if r := runOf(ctx); r != nil {
		return Ref{r.node.tree, r.node.path}
	}
	return Ref{}
}

// Path is the place's path.
func (r Ref) Path() string { return r.path }

// String is the place's path.
func (r Ref) String() string { return r.path }

// Find is another place of the same tree.
func (r Ref) Find(path string) Ref { return Ref{r.tree, path} }

// Child is the place of the child of that name below r.
func (r Ref) Child(name string) Ref { return Ref{r.tree, r.path + "/" + name} }

// place is where a path leads: to the child c of the supervisor above, which
// is nil for the root, and to the supervisor sub if one lives there.
type place struct {
	above *node
	name  string
	sub   *node
}

// resolve walks down the path. It fails where nothing is.
func (r Ref) resolve() (place, error) {
	if r.tree == nil {
		return place{}, ErrNoTree
	}
	root := r.tree.root.Load()
	if root == nil {
		return place{}, ErrStopped
	}
	names := strings.Split(r.path, "/")
	if names[0] != root.path {
		return place{}, fmt.Errorf("%w: a path begins with the root's name, as in %s/child", ErrNotFound, root.path)
	}
	at := place{sub: root, name: names[0]}
	for _, name := range names[1:] {
		if at.sub == nil {
			return place{}, at.missing()
		}
		above := at.sub
		c, sub := above.find(name)
		if c == nil {
			return place{}, ErrNotFound
		}
		at = place{above: above, name: name, sub: sub}
	}
	return at, nil
}

// missing is why there is no supervisor at a place: a worker is there, or the
// supervisor does not run.
func (p place) missing() error {
	p.above.lock()
	defer p.above.mu.Unlock()
	c := p.above.m.Lookup(p.name)
	switch {
	case c == nil:
		return ErrNotFound
	case !c.Policy.Supervisor:
		return fmt.Errorf("%w: %s/%s is a worker", ErrNotSupervisor, p.above.path, p.name)
	}
	return ErrStopped
}

// find is the child of that name, and the supervisor that it is now.
func (n *node) find(name string) (*machine.Child, *node) {
	n.lock()
	defer n.mu.Unlock()
	c := n.m.Lookup(name)
	if c == nil || !c.Live() {
		return c, nil
	}
	r, _ := c.Run.(*run)
	if r == nil {
		return c, nil
	}
	return c, r.sub()
}

// supervisor is the supervisor that lives at r.
func (r Ref) supervisor() (*node, error) {
	at, err := r.resolve()
	if err != nil {
		return nil, err
	}
	if at.sub == nil {
		return nil, at.missing()
	}
	return at.sub, nil
}

// hopeless is why nothing will be offered at r, or nil.
func (r Ref) hopeless() error {
	at, err := r.resolve()
	switch {
	case err == ErrStopped: //nolint:errorlint // resolve returns it as it is
		if root := r.tree.root.Load(); root != nil && isClosed(root.over) {
			return err
		}
		above := r.path[:max(strings.LastIndexByte(r.path, '/'), 0)]
		if strings.Contains(above, "/") { // a supervisor below the root, which may be down for good
			return Ref{r.tree, above}.hopeless()
		}
		return nil
	case err != nil:
		return err
	case at.above == nil:
		return ErrNotOffered
	}
	at.above.lock()
	defer at.above.mu.Unlock()
	c := at.above.m.Lookup(at.name)
	switch {
	case c == nil:
		return ErrNotFound
	case c.State == machine.Down && at.above.m.Phase() == machine.Ended:
		return ErrStopped
	case c.State == machine.Down && at.above.m.Phase() == machine.Up && !at.above.m.Busy():
		return ErrNotOffered
	}
	return nil
}

// Spec is the spec of the child at r, as it was given (OTP's get_childspec). It
// waits for nothing.
func (r Ref) Spec() (child.Spec, error) {
	at, err := r.resolve()
	if err != nil {
		return child.Spec{}, &CallError{"get_childspec", r.path, err}
	}
	if at.above == nil {
		return at.sub.plan.spec.ChildSpec(), nil
	}
	c, _ := at.above.find(at.name)
	if c == nil {
		return child.Spec{}, &CallError{"get_childspec", r.path, ErrNotFound}
	}
	return c.Spec.(child.Spec), nil
}

// Status is where the place stands, without what is below it (OTP's
// which_child). It waits for nothing.
func (r Ref) Status() (Status, error) {
	at, err := r.resolve()
	if err != nil {
		return Status{}, &CallError{"which_child", r.path, err}
	}
	if at.above == nil {
		s := Status{Name: at.name, Path: r.path, Supervisor: true}
		at.sub.state(&s)
		at.sub.itself(&s)
		return s, nil
	}
	n := at.above
	n.lock()
	c := n.m.Lookup(at.name)
	if c == nil {
		n.mu.Unlock()
		return Status{}, &CallError{"which_child", r.path, ErrNotFound}
	}
	seen := see(n.m, c, n.tree.now())
	n.mu.Unlock()
	s := n.tree.status(n.path, &seen)
	if seen.run != nil {
		seen.run.tell(&s, false)
	}
	return s, nil
}

// Children are the children of the supervisor at r in start order (OTP's
// which_children), without what is below them. It waits for nothing.
func (r Ref) Children() ([]Status, error) {
	n, err := r.supervisor()
	if err != nil {
		return nil, &CallError{"which_children", r.path, err}
	}
	var s Status
	n.describe(&s, false)
	return s.Children, nil
}

// Count counts the children of the supervisor at r (OTP's count_children). It
// waits for nothing.
func (r Ref) Count() (Count, error) {
	n, err := r.supervisor()
	if err != nil {
		return Count{}, &CallError{"count_children", r.path, err}
	}
	n.lock()
	defer n.mu.Unlock()
	return n.m.Count(), nil
}
