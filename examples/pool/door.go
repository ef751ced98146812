package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coppice-go/coppice/supervisor"
)

// door lets clients in. Each of its steps ends when what it did has shown.
type door struct {
	sup      *supervisor.Supervisor
	limit    int
	sessions []*session
	story    *story
}

// fill starts as many sessions as there may be.
func (d *door) fill(ctx context.Context) error {
	for range d.limit {
		s := newSession()
		if _, err := d.sup.Ref().StartChild(ctx, s); err != nil {
			return err
		}
		d.sessions = append(d.sessions, s)
	}
	d.story.tell("%d sessions started", d.running())
	return nil
}

// refuse shows the answer to one too many.
func (d *door) refuse(ctx context.Context) error {
	_, err := d.sup.Ref().StartChild(ctx, newSession())
	if !errors.Is(err, supervisor.ErrMaxChildren) {
		return fmt.Errorf("one too many was not refused: %w", err)
	}
	d.story.tell("one more is refused: %v", err)
	return nil
}

// crash makes each hundredth session panic, and waits until all are back.
func (d *door) crash(ctx context.Context) error {
	crashed := uint64(0)
	for i := 0; i < len(d.sessions); i += 100 {
		if err := d.sessions[i].say(ctx, "crash"); err != nil {
			return err
		}
		crashed++
	}
	err := await(ctx, func() bool { return d.restarts() == crashed && d.running() == len(d.sessions) })
	d.story.tell("%d crashed, each was started again in its place, %d are running", crashed, d.running())
	return err
}

// leave ends every other session, and waits until their places are free.
func (d *door) leave(ctx context.Context) error {
	var stay []*session
	for i, s := range d.sessions {
		if i%2 == 0 {
			stay = append(stay, s)
		} else if err := s.say(ctx, "bye"); err != nil {
			return err
		}
	}
	left := len(d.sessions) - len(stay)
	d.sessions = stay
	err := await(ctx, func() bool {
		count, err := d.sup.Ref().Count()
		return err == nil && count.Workers == len(stay)
	})
	d.story.tell("%d said good-bye, %d are running", left, d.running())
	return err
}

// admit starts one more, now that there is room. No number is given
// twice, not even that of the one who was refused.
func (d *door) admit(ctx context.Context) error {
	ref, err := d.sup.Ref().StartChild(ctx, newSession())
	if err != nil {
		return err
	}
	d.story.tell("one more is let in, as %v, %d are running", ref, d.running())
	return nil
}

// running is how many sessions have a live run.
func (d *door) running() int {
	count, err := d.sup.Ref().Count()
	if err != nil {
		return 0 // the pool has stopped
	}
	return count.Active
}

// restarts is how many restarts there were of those that are there.
func (d *door) restarts() (sum uint64) {
	snapshot := d.sup.Snapshot()
	for status := range snapshot.Root.All() {
		sum += status.Restarts
	}
	return sum
}

// await waits until done says so.
func await(ctx context.Context, done func() bool) error {
	for !done() {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
