package supervisor

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/coppice-go/coppice/supervisor/internal/machine"
)

var errNegative = errors.New("a number of children must not be negative")

// Scale starts or terminates children of the supervisor at r, which has a
// Template, until there are n of those that the template makes of arg. They are
// called NAME-1, NAME-2 and so on after the name that the template gives, or 1,
// 2 and so on without one; children of other names are not touched and do not
// count. A child that waits for a restart counts, wherever it stands.
//
// More are started one after the other, each under the lowest number that is
// free, and each from a call of the template of its own; after the first that
// fails to start no further one is. Too many are terminated, beginning with the
// youngest, each with its own grace; Scale returns when they have ended. Calls
// of Scale for one supervisor take turns. When ctx ends no further child is
// started, and those that were told to end do so.
func (r Ref) Scale(ctx context.Context, n int, arg any) error {
	const call = "scale"
	at, err := r.supervisor()
	switch {
	case err != nil:
	case at.plan.spec.Template == nil:
		err = ErrNoTemplate
	case n < 0:
		err = errNegative
	default:
		err = at.scale(ctx, n, arg)
	}
	return callError(call, r.path, err)
}

func (n *node) scale(ctx context.Context, want int, arg any) error {
	select {
	case n.scaling <- struct{}{}:
		defer func() { <-n.scaling }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	spec, err := callTemplate(ctx, n.plan.spec.Template, arg)
	if err != nil {
		return err
	}
	f := family(spec.Name)
	members := n.members(f)
	if surplus := len(members) - want; surplus > 0 {
		return n.shrink(ctx, members[want:])
	}
	for number, missing := 1, want-len(members); missing > 0; missing-- {
		number = n.free(f, number)
		spec.Name = f.name(number)
		if _, err := n.startChild(ctx, spec); err != nil {
			return &CallError{"start_child", n.path + "/" + spec.Name, err}
		}
		if missing > 1 {
			if spec, err = callTemplate(ctx, n.plan.spec.Template, arg); err != nil {
				return err
			}
		}
	}
	return nil
}

// shrink terminates the children of these names, the last one first.
func (n *node) shrink(ctx context.Context, names []string) error {
	posted := make([]*machine.Request, len(names))
	for i := range names {
		posted[i] = &machine.Request{Op: machine.Terminate, Name: names[len(names)-1-i]}
		n.post(ctx, posted[i])
	}
	var errs []error
	for _, req := range posted {
		err := n.await(ctx, req)
		switch {
		case err == nil, errors.Is(err, ErrNotFound): // it may have ended by itself
		case ctx.Err() != nil:
			return context.Cause(ctx)
		default:
			errs = append(errs, &CallError{"terminate_child", n.path + "/" + req.Name, err})
		}
	}
	return errors.Join(errs...)
}

// members are the names of a family's children, the youngest last.
func (n *node) members(f family) (names []string) {
	n.lock()
	defer n.mu.Unlock()
	n.m.Each(func(c *machine.Child) bool {
		if f.has(c.Name) {
			names = append(names, c.Name)
		}
		return true
	})
	return names
}

// free is the lowest number from that one on of which there is no child.
func (n *node) free(f family, number int) int {
	n.lock()
	defer n.mu.Unlock()
	for n.m.Lookup(f.name(number)) != nil {
		number++
	}
	return number
}

// A family are the children of a template that share a name, but for a number.
type family string

func (f family) name(number int) string {
	if f == "" {
		return strconv.Itoa(number)
	}
	return string(f) + "-" + strconv.Itoa(number)
}

func (f family) has(name string) bool {
	tail, ok := strings.CutPrefix(name, string(f))
	if f != "" && ok {
		tail, ok = strings.CutPrefix(tail, "-")
	}
	number, err := strconv.Atoi(tail)
	return ok && err == nil && number > 0 && f.name(number) == name
}
