package process

import (
	"context"
	"errors"
	"iter"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coppice-go/coppice/child"
)

// A Handle is what others have of a process that runs, or has run: the command
// of a child offers one for each incarnation. Its methods may be called from
// any goroutine at any time; what cannot be done any more is [ErrEnded].
type Handle struct {
	proc   *proc
	path   string // of the child; written before anybody has the handle
	notes  notes
	usage  atomic.Pointer[usage] // nil until somebody asks what it uses
	done   latch                 // closed when the run is over
	err    error                 // how it ended; written before done is closed
	told   bool                  // its context asked it to end; written before done is closed
	status error                 // how the process ended, whoever asked it to; written before done is closed
	wake   chan struct{}         // has room for one: something has happened that ends the run
	idle   idle

	alive  sync.Mutex // protects buried, and which process is meant; who signals holds it
	buried bool       // the process has been waited for, and its number is not ours
}

// ErrEnded is the answer to what needs a process that runs.
var ErrEnded = errors.New("process: it has ended")

// ErrNoInput is the answer to a write to a program whose Stdin is not [Piped].
var ErrNoInput = errors.New("process: its input is not piped")

func newHandle(p *proc) *Handle {
	h := &Handle{proc: p, wake: make(chan struct{}, 1)}
	h.notes.handle = h
	return h
}

// Path is the place of the child in its tree, as [child.Path] gives it.
func (h *Handle) Path() string { return h.path }

// PID is the number of the process. After its end it may be another's.
func (h *Handle) PID() int {
	h.alive.Lock()
	defer h.alive.Unlock()
	return h.proc.pid
}

// Began is when it was started.
func (h *Handle) Began() time.Time { return h.proc.began }

// Alive reports whether the process has not ended.
func (h *Handle) Alive() bool { return !isClosed(h.exited()) }

// exited is closed when the process has ended.
func (h *Handle) exited() <-chan struct{} {
	h.alive.Lock()
	defer h.alive.Unlock()
	return h.proc.exited
}

// Done is closed when the run is over: the process has ended, and so has what
// it left behind.
func (h *Handle) Done() <-chan struct{} { return h.done.done() }

// Err is how the run ended: nil after the code 0, else a [*child.StatusError]
// or what made it fail. Before the end it is nil.
func (h *Handle) Err() error {
	if !h.done.isClosed() {
		return nil
	}
	return h.err
}

// ExitCode is the code of a process that has ended, 128 and the number of its
// signal if one ended it, and false while it runs.
func (h *Handle) ExitCode() (code int, ended bool) {
	if !h.done.isClosed() {
		return 0, false
	}
	return child.ExitOf(h.err).ExitStatus(), true
}

// Join waits until the run is over, at most for the timeout; zero waits for
// ever. It reports whether it is over.
func (h *Handle) Join(timeout time.Duration) bool {
	if timeout == 0 {
		<-h.done.done()
		return true
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-h.done.done():
		return true
	case <-timer.C:
		return h.done.isClosed()
	}
}

// Signal sends a signal to those in scope. It cannot hit another process: as
// long as Signal finds the run alive, its number is nobody else's.
func (h *Handle) Signal(to Scope, sig syscall.Signal) error { return h.signalAlive(to, sig) }

// Terminate sends SIGTERM to the group. Unlike a stop by the supervisor it is
// nobody's promise: the run ends if and when the process obeys, and a
// supervisor takes that for an end of its own.
func (h *Handle) Terminate() error { return h.Signal(Group, syscall.SIGTERM) }

// Reload asks the process to read its configuration again, by the Reload
// ladder of the command. It returns when the last rung's wait is over.
func (h *Handle) Reload(ctx context.Context) error { return h.proc.reload(ctx) }

// Lines are the lines of a stream by its label, or of all for the empty one,
// beginning with the last ones that are kept, until the run is over or ctx
// ends. Any number of listeners come and go; none holds up the process, and one
// that is slow misses lines and is told how many.
func (h *Handle) Lines(ctx context.Context, label string) iter.Seq[Line] {
	return func(yield func(Line) bool) {
		l := h.proc.journal.listen(label)
		defer h.proc.journal.leave(l)
		for {
			lines, over := l.take()
			for _, line := range lines {
				if !yield(line) {
					return
				}
			}
			if over {
				return
			}
			select {
			case <-l.news:
			case <-ctx.Done():
				return
			}
		}
	}
}

// Last are the last lines of both streams that are kept, in their order: at
// most two kilobytes of each.
func (h *Handle) Last() []Line {
	h.proc.journal.mu.Lock()
	defer h.proc.journal.mu.Unlock()
	return h.proc.journal.last()
}

// Stream is our end of the stream of that name, if the command has one without
// a File, else nil. It is closed with the run.
func (h *Handle) Stream(name string) net.Conn { return h.proc.streams[name] }

// Write writes to the standard input of the process. Writers take turns: each
// call is one piece. It waits while the process does not read, until the
// deadline. It is [ErrEnded] when the process has ended, and when nobody is left
// to read: the process is about to end, or has closed its input.
func (h *Handle) Write(b []byte) (int, error) {
	if h.proc.input == nil {
		return 0, ErrNoInput
	}
	n, err := h.proc.input.Write(b)
	if err != nil && (!h.Alive() || errors.Is(err, syscall.EPIPE)) {
		err = ErrEnded // a broken pipe is seen before the exit
	}
	return n, err
}

// SetWriteDeadline bounds the writes; the zero time is no bound.
func (h *Handle) SetWriteDeadline(t time.Time) error {
	if h.proc.input == nil {
		return ErrNoInput
	}
	return h.proc.input.SetWriteDeadline(t)
}

// CloseInput ends the standard input of the process: it reads the end when it
// has read what was written.
func (h *Handle) CloseInput() error {
	if h.proc.input == nil {
		return ErrNoInput
	}
	return h.proc.input.Close()
}

// Notify runs f, after every f that was given before has returned. The first
// that fails, panics or takes longer than [HookTime] ends the process, and is
// how the run ended; those after it are not run. The run is over when the last
// one has returned.
func (h *Handle) Notify(f func(context.Context) error) { h.notes.add(f) }

// Fail ends the process because of err, which is how the run ended, unless it
// had failed before.
func (h *Handle) Fail(err error) { h.notes.fail(err) }

// reason is what has failed beside the process, or nil.
func (h *Handle) reason() error { return h.notes.reason() }

// settle waits for those who are notified.
func (h *Handle) settle() { h.notes.wait() }

// poke wakes who waits for the end of the run.
func (h *Handle) poke() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

func (h *Handle) end(err error) {
	h.err = err
	h.done.close()
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
