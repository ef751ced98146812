package process

import "sync"

// A latch is something that happens once, and that few wait for: it has a
// channel when somebody does. The zero value has not happened.
type latch struct {
	mu       sync.Mutex // protects what follows
	happened bool
	closed   chan struct{}
}

// close makes it happen.
func (l *latch) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.happened = true
	if l.closed != nil {
		close(l.closed)
	}
}

// isClosed reports whether it has happened.
func (l *latch) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.happened
}

// done is closed when it has happened.
func (l *latch) done() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed == nil {
		l.closed = make(chan struct{})
		if l.happened {
			close(l.closed)
		}
	}
	return l.closed
}
