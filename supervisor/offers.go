package supervisor

import (
	"context"
	"fmt"
	"reflect"
	"sync"
)

// offers holds what live runs have published, by path.
type offers struct {
	mu      sync.Mutex // protects what follows
	by      map[string][]offer
	changed chan struct{} // closed and replaced at every change
}

type offer struct {
	run   *run
	value any
}

// add offers v on behalf of r, and forgets what earlier runs of the child had
// offered.
func (o *offers) add(r *run, v any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.by == nil {
		o.by = map[string][]offer{}
	}
	path := r.Path()
	if of := o.by[path]; len(of) > 0 && of[0].run.incarnation > r.incarnation {
		return // its successor runs beside it, and is the one to talk to
	}
	var mine []offer
	for _, other := range o.by[path] {
		if other.run == r && reflect.TypeOf(other.value) != reflect.TypeOf(v) {
			mine = append(mine, other)
		}
	}
	o.by[path] = append(mine, offer{r, v})
	o.wake()
}

// remove takes back what r has offered.
func (o *offers) remove(r *run) {
	o.mu.Lock()
	defer o.mu.Unlock()
	path := r.Path()
	if of := o.by[path]; len(of) > 0 && of[0].run == r {
		delete(o.by, path)
	}
	o.wake()
}

func (o *offers) wake() {
	close(o.changed)
	o.changed = make(chan struct{})
}

// look is what is offered at path, and a channel that is closed when that
// changes.
func (o *offers) look(path string) ([]offer, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.by[path], o.changed
}

// Offers is what the runs that live now in the whole tree have published of
// type T, by path: of each the last. It waits for nothing.
func Offers[T any](s *Supervisor) map[string]T {
	o := &s.tree.offers
	o.mu.Lock()
	defer o.mu.Unlock()
	all := map[string]T{}
	for path, found := range o.by {
		for _, f := range found {
			if v, ok := f.value.(T); ok && f.run.phase.Load() == live {
				all[path] = v
			}
		}
	}
	return all
}

// Get is what the run that lives now at ref has published of type T, the last
// if there are several; T may be an interface. It waits until there is such a
// thing: while the child starts, waits for a restart, or has not published it
// yet. It returns an error when ctx ends, when nothing is at ref, and when the
// child is down and nobody will start it by itself.
func Get[T any](ctx context.Context, ref Ref) (T, error) {
	for {
		var zero T
		if ref.tree == nil {
			return zero, &CallError{"get", ref.path, ErrNoTree}
		}
		news := ref.tree.hub.sleep() // before the look, so that nothing slips between
		found, changed := ref.tree.offers.look(ref.path)
		for i := len(found) - 1; i >= 0; i-- {
			if v, ok := found[i].value.(T); ok && found[i].run.phase.Load() == live {
				return v, nil
			}
		}
		if err := ref.hopeless(); err != nil {
			return zero, &CallError{"get", ref.path, err}
		}
		select {
		case <-changed:
		case <-news:
		case <-ctx.Done():
			return zero, &CallError{"get", ref.path, fmt.Errorf("no %v is published: %w", reflect.TypeFor[T](), context.Cause(ctx))}
		}
	}
}
