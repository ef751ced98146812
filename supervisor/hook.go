package supervisor

// A hook is a function that is called when the context of a run has ended. The
// hooks of a run are a list, from which each can be taken in one step.
type hook struct {
	f          func()
	prev, next *hook
	waiting    bool
}

// run calls h and those behind it. They are nobody else's any more.
func (h *hook) run() {
	for ; h != nil; h = h.next {
		h.f()
	}
}

// AfterFunc arranges that f is called when the context has ended, unless stop
// is called before. The context package uses it for what is derived from the
// run; without it, that would start a goroutine for each.
func (r *run) AfterFunc(f func()) (stop func() bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cause != nil {
		go f()
		return func() bool { return false }
	}
	rare := r.seldom()
	h := &hook{f: f, next: rare.after, waiting: true}
	if h.next != nil {
		h.next.prev = h
	}
	rare.after = h
	return func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return rare.take(h)
	}
}

// take takes h out of the list and reports whether it was in there. The run's
// lock is held.
func (r *rare) take(h *hook) bool {
	if !h.waiting || r.after == nil {
		return false // it has been called, or taken
	}
	h.waiting = false
	if h.next != nil {
		h.next.prev = h.prev
	}
	if h.prev != nil {
		h.prev.next = h.next
	} else {
		r.after = h.next
	}
	return true
}
