package supervisor

import (
	"context"
	"errors"

	"github.com/coppice-go/coppice/child"
)

// ErrNoReload is the answer of Reload at a place whose run has nothing that
// can be reloaded.
var ErrNoReload = errors.New("nothing there can be reloaded")

// Reload asks the run that lives at r to read its configuration again, if it
// has published a [child.Reloader], as a process does. It returns when that
// has been asked, or ctx ends. It starts and stops nothing.
func (r Ref) Reload(ctx context.Context) error {
	if _, err := r.resolve(); err != nil {
		return &CallError{"reload", r.path, err}
	}
	found, _ := r.tree.offers.look(r.path)
	for i := len(found) - 1; i >= 0; i-- {
		if v, ok := found[i].value.(child.Reloader); ok && found[i].run.phase.Load() == live {
			if err := v.Reload(ctx); err != nil {
				return &CallError{"reload", r.path, err}
			}
			return nil
		}
	}
	return &CallError{"reload", r.path, ErrNoReload}
}

// facts are what r has told of itself.
func (o *offers) facts(r *run) (facts child.Facts) {
	found, _ := o.look(r.Path())
	for _, f := range found {
		if told, ok := f.value.(child.Facts); ok && f.run == r {
			facts = told
		}
	}
	return facts
}

// tells reports whether the run has published anything.
func (r *run) tells() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rare != nil && r.rare.offers
}
