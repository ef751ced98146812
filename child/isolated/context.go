package isolated

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/coppice-go/coppice/child"
)

// run is the context of a function in its copy.
type run struct {
	context.Context
	copy   *copied
	task   taskMessage
	log    *slog.Logger
	heart  child.Heart
	cancel context.CancelCauseFunc
	killed chan struct{}
	once   sync.Once // of killed
	answer atomic.Pointer[func(context.Context) error]
	ready  sync.Once
}

var (
	_ child.Runtime = (*run)(nil)
	_ child.Pulser  = (*run)(nil)
)

func newRun(c *copied, t taskMessage) *run {
	r := &run{copy: c, task: t, log: newLog(&c.sender, slog.Level(t.Level)), killed: make(chan struct{})}
	r.Context, r.cancel = context.WithCancelCause(context.Background())
	return r
}

// Value finds the run itself.
func (r *run) Value(key any) any {
	if _, ok := key.(child.RuntimeKey); ok {
		return r
	}
	return r.Context.Value(key)
}

// Ready says that the start is complete.
func (r *run) Ready() { r.ready.Do(func() { _ = r.copy.send(ready, nil) }) }

// Killed is closed for the last words.
func (r *run) Killed() <-chan struct{} { return r.killed }

// Path is the place of the child in its tree.
func (r *run) Path() string { return r.task.Path }

// Incarnation is the number of the run.
func (r *run) Incarnation() uint64 { return r.task.Incarnation }

// Logger is the log of the run, in the parent.
func (r *run) Logger() *slog.Logger { return r.log }

// Publish tells the Status of Facts. Nothing else can leave the copy.
func (r *run) Publish(v any) {
	if facts, ok := v.(child.Facts); ok {
		_ = r.copy.sendText(status, []byte(facts.Status[:min(len(facts.Status), 1<<10)]))
	}
}

// Redact is the default of a tree: its own function is in the parent, which
// applies it to all that comes.
func (r *run) Redact(s string) string { return child.HideSecrets(s) }

// Pulse is the heart of the run, nil if nobody listens.
func (r *run) Pulse() *child.Heart {
	if !r.task.Beats {
		return nil
	}
	return &r.heart
}

// stop ends the context.
func (r *run) stop(m stopMessage) {
	why := &told{text: m.Cause}
	_ = why.reason.UnmarshalText([]byte(m.Reason)) // a reason that is unknown is none
	r.cancel(why)
}

// kill closes Killed.
func (r *run) kill() { r.once.Do(func() { close(r.killed) }) }

// ask is the answer to a ping.
func (r *run) ask() error {
	f := r.answer.Load()
	if f == nil {
		return nil
	}
	done := make(chan error, 1)
	go func() {
		var exit child.Exit
		defer func() { done <- exit.AsError() }() // also after a Goexit
		child.Serve(r, child.Func(*f), &exit, false)
	}()
	return <-done
}

// Answer has f answer the pings of the parent, in the copy that ctx belongs
// to: an error is no, and so is an answer that comes too late. It may take the
// locks that the function works under. f is called in a goroutine of its own,
// and so may be called before it has returned. Outside of a copy Answer does
// nothing.
func Answer(ctx context.Context, f func(ctx context.Context) error) {
	if r, ok := child.FromContext(ctx).(*run); ok && f != nil {
		r.answer.Store(&f)
	}
}

// told is why the context ended.
type told struct {
	reason child.Reason
	text   string
}

func (t *told) Error() string { return t.text }

// Is makes an error that wraps it an answer to the end of the context.
func (t *told) Is(target error) bool { return errors.Is(target, context.Canceled) }

// StopReason is what [child.StopReason] looks for.
func (t *told) StopReason() child.Reason { return t.reason }
