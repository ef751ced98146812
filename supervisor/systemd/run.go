package systemd

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
)

// Run is o.Run, and meanwhile [Notify]. It returns what o.Run does; that
// systemd could not be told is a line in o's log. In a child of another tree,
// which speaks for the program, it is o.Run and nothing else.
func Run(ctx context.Context, o supervisor.Options, spec supervisor.Spec) error {
	if child.Path(ctx) != "" {
		return o.Run(ctx, spec)
	}
	sup, err := o.New(spec)
	if err != nil || ctx.Err() != nil {
		return err
	}
	told := make(chan error, 1)
	go func() { told <- Notify(sup) }()
	_ = sup.Serve(ctx) // Wait returns what is meant for the top of a program
	if err := <-told; err != nil {
		log := cmp.Or(o.Logger, slog.Default())
		log.Warn("systemd was not told everything", "err", err)
	}
	return sup.Wait()
}

// Notify tells systemd about sup until that has ended, and returns then; if
// nobody wants to know it returns at once. It works in the goroutine that it is
// called in and starts no other:
//
//	sup, err := supervisor.Start(ctx, tree)
//	...
//	go systemd.Notify(sup)
//	err = sup.Wait()
//
// It may be called before sup is served. It follows one life of it, and one call
// is enough for a program. The error is what is wrong with the environment, or
// the first that came up when systemd was told, which is tried again each
// second.
func Notify(sup *supervisor.Supervisor) error {
	to, err := address()
	if to == "" {
		return err
	}
	interval, err := watchdog()
	f := follower{sup: sup, look: sup.Snapshot, send: sender(to), teller: teller{beat: interval / 2}}
	return errors.Join(err, f.follow())
}

// lull is the shortest time between two looks at a tree, and effort what part of
// the time they may take: looking at a million children costs something.
const (
	lull   = 50 * time.Millisecond
	effort = 20
)

// follower brings the looks of a teller, the time and systemd together.
type follower struct {
	teller
	sup  *supervisor.Supervisor
	look func() supervisor.Snapshot // at sup; waits for each of its supervisors
	send func(string) error
	err  error // the first of send
}

func (f *follower) follow() error {
	done := f.sup.Done()
	for !isClosed(done) {
		began := time.Now()
		snap := f.look()
		now := time.Now()
		pause := max(lull, effort*now.Sub(began))
		if f.beat > 0 {
			pause = min(pause, f.beat/2)
		}
		before := f.teller
		if !f.say(f.teller.look(now, &snap.Root, f.budget())) {
			f.teller, pause = before, every
		}
		sleep(done, pause)
		f.await(snap.Seq, f.next(now))
	}
	f.say(f.end(f.sup.Wait()))
	return f.err
}

// say is false if text could not be sent.
func (f *follower) say(text string) bool {
	if text == "" {
		return true
	}
	err := f.send(text)
	if f.err == nil {
		f.err = err
	}
	return err == nil
}

// await returns at the next event after the given one, at a time that is not
// zero, and when the tree has ended.
func (f *follower) await(after uint64, at time.Time) {
	ctx := context.Background()
	if !at.IsZero() {
		bounded, cancel := context.WithDeadline(ctx, at)
		defer cancel()
		ctx = bounded
	}
	for range f.sup.Events(ctx, after) {
		return
	}
}

// budget is how long a stop may take by the spec of the root, and the second
// within which it returns after that; zero without a bound.
func (f *follower) budget() time.Duration {
	spec, err := f.sup.Ref().Spec()
	switch {
	case err != nil || spec.Shutdown == child.Infinity:
		return 0
	case spec.Shutdown == child.BrutalKill:
		return time.Second
	}
	return cmp.Or(spec.Shutdown, supervisor.RootShutdown) + time.Second
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// sleep waits, but not for longer than the tree lives.
func sleep(done <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-done:
	}
}
