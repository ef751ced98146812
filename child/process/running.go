package process

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/coppice-go/coppice/child"
)

// running are the handles of the processes that this program looks after.
var running = roster{handles: map[*Handle]struct{}{}}

type roster struct {
	mu      sync.Mutex // protects handles
	handles map[*Handle]struct{}
}

func (r *roster) list() []*Handle {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.handles))
}

func (r *roster) add(h *Handle) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handles[h] = struct{}{}
}

func (r *roster) remove(h *Handle) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.handles, h)
}

// enter makes the process known for the time of its run, until leave is
// called, and holds it to its quota.
func (h *Handle) enter(ctx context.Context) (leave func()) {
	h.path = child.Path(ctx)
	running.add(h)
	quota := h.proc.command.Quota
	if !quota.limits() {
		return func() { running.remove(h) }
	}
	e := &enforcer{ctx: ctx, handle: h, quota: quota, meter: meter{last: Stats{Time: h.Began()}}}
	w := theSampler.add(h, quota.Every, e.take)
	return func() {
		theSampler.remove(w)
		running.remove(h)
	}
}
