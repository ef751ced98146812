package process

import (
	"context"
	"sync"

	"github.com/coppice-go/coppice/child"
)

// notes are the notifications of a run, by the rule of Launchpad's process
// monitor: one after the other, the first failure counts, and the result waits
// for them.
type notes struct {
	handle *Handle

	mu    sync.Mutex // protects what follows
	queue []Hook
	idle  chan struct{} // closed when the queue is empty again; nil while it is
	first error         // what failed first, be it the process
}

func (n *notes) add(f func(context.Context) error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.queue = append(n.queue, func(ctx context.Context, _ *Handle) error { return f(ctx) })
	if n.idle == nil {
		n.idle = make(chan struct{})
		go n.run()
	}
}

func (n *notes) run() {
	for hook := n.next(); hook != nil; hook = n.next() {
		if err := hook.call(context.Background(), n.handle); err != nil {
			n.fail(err)
		}
	}
}

// next is the next one to be run; after a failure there is none.
func (n *notes) next() Hook {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.queue) == 0 || n.first != nil {
		n.queue = nil
		close(n.idle)
		n.idle = nil
		return nil
	}
	hook := n.queue[0]
	n.queue = n.queue[1:]
	return hook
}

// fail keeps the first failure and has the process ended.
func (n *notes) fail(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err == nil {
		return
	}
	if n.first != nil {
		child.Logger(context.Background()).Debug("process: failed again", "err", err)
		return
	}
	n.first = err
	n.handle.poke()
}

func (n *notes) reason() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.first
}

// wait waits until the queue is empty.
func (n *notes) wait() {
	n.mu.Lock()
	idle := n.idle
	n.mu.Unlock()
	if idle != nil {
		<-idle
	}
}
