//go:build linux

package process_test

import (
	"context"
	"errors"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/supervisor"
)

var errNoted = errors.New("a notification failed")

// A diary holds what was noted, in its order.
type diary struct {
	mu  sync.Mutex // protects all
	all []string
}

func (d *diary) note(what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, what)
}

func (d *diary) read() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.all)
}

// notes is a notification that is noted.
func (d *diary) notes(what string, f func() error) func(context.Context) error {
	return func(context.Context) error {
		d.note(what + " begins")
		err := f()
		d.note(what + " ends")
		return err
	}
}

func succeeds() error { return nil }

func TestTheLadderOfLaunchpadInterruptsAndKillsFiveSecondsLater(t *testing.T) {
	if want := (process.Ladder{{Signal: syscall.SIGINT, Wait: 5 * time.Second}}); !reflect.DeepEqual(process.Interrupt(), want) {
		t.Errorf("got %+v", process.Interrupt())
	}
	const wait = 300 * time.Millisecond
	soon := process.Interrupt()
	soon[0].Wait = wait
	t.Run("one that obeys", func(t *testing.T) {
		var out lines
		c := shell(t, `trap 'echo INT; exit 0' INT; trap 'echo TERM' TERM; echo on; while :; do sleep 0.01; done`, &out)
		c.Stop = soon
		r := serving(t, c)
		await(t, &out, "on")
		if err := r.ended(); err != nil || out.String() != "on\nINT\n" {
			t.Errorf("got %v and %q", err, out.String())
		}
	})
	t.Run("one that does not", func(t *testing.T) {
		var out lines
		c := shell(t, `trap 'echo INT' INT; trap 'echo TERM' TERM; echo on; while :; do sleep 0.01; done`, &out)
		c.Stop = soon
		r := serving(t, c)
		await(t, &out, "on")
		began := time.Now()
		var status *child.StatusError
		if err := r.ended(); !errors.As(err, &status) || status.Signal != syscall.SIGKILL || time.Since(began) < wait {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
		arrives(t, &out, "on\nINT\n")
	})
}

// Whichever comes first, the end or the kill, the other does no harm.
func TestTheEndAndTheKillMayCoincide(t *testing.T) {
	for i := range 15 {
		var out lines
		c := shell(t, `trap 'sleep 0.05; exit 0' INT; echo on; while :; do sleep 0.01; done`, &out)
		c.Stop = process.Ladder{{Signal: syscall.SIGINT, Wait: time.Duration(48+2*i) * time.Millisecond}}
		r := serving(t, c)
		await(t, &out, "on")
		var status *child.StatusError
		if err := r.ended(); err != nil && (!errors.As(err, &status) || status.Signal != syscall.SIGKILL) {
			t.Errorf("got %v", err)
		}
	}
}

func TestTheEndAndTheTimeoutMayCoincide(t *testing.T) {
	for i := range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(45+2*i)*time.Millisecond)
		r, err := process.Run(ctx, script("echo out; sleep 0.05; exit 0"))
		cancel()
		switch {
		case err == nil && (string(r.Stdout) != "out\n" || r.Exit.Abnormal()):
			t.Errorf("got %q and %v", r.Stdout, r.Exit)
		case err != nil && !errors.Is(err, context.DeadlineExceeded):
			t.Errorf("got %v", err)
		}
	}
}

func TestNotificationsAreRunOneAfterTheOther(t *testing.T) {
	var d diary
	release := make(chan struct{})
	r := serving(t, sleeper())
	r.Notify(d.notes("first", func() error { <-release; return nil }))
	r.Notify(d.notes("second", succeeds))
	comesTrue(t, "the first begins", func() bool { return len(d.read()) > 0 })
	time.Sleep(50 * time.Millisecond)
	if got := d.read(); !slices.Equal(got, []string{"first begins"}) {
		t.Errorf("got %q", got)
	}
	close(release)
	comesTrue(t, "the second ends", func() bool { return len(d.read()) == 4 })
	if err := r.ended(); err != nil {
		t.Errorf("got %v", err)
	}
	if got := d.read(); !slices.Equal(got, []string{"first begins", "first ends", "second begins", "second ends"}) {
		t.Errorf("got %q", got)
	}
}

func TestANotificationThatFailsEndsTheProcessAndIsTheResult(t *testing.T) {
	for name, tt := range map[string]struct {
		fail func() error
		want string
	}{
		"an error":  {func() error { return errNoted }, errNoted.Error()},
		"a panic":   {func() error { panic("ouch") }, "ouch"},
		"a goexit":  {func() error { runtime.Goexit(); return nil }, "Goexit"},
		"a failure": {nil, "from outside"},
	} {
		t.Run(name, func(t *testing.T) {
			var out lines
			c := shell(t, `trap 'echo INT; exit 0' INT; echo on; while :; do sleep 0.01; done`, &out)
			c.Stop = process.Interrupt()
			r := serving(t, c)
			await(t, &out, "on")
			if tt.fail == nil {
				r.Fail(errors.New(tt.want))
			} else {
				r.Notify(func(context.Context) error { return tt.fail() })
			}
			if err := r.end(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
			if r.Err() != r.outcome || !strings.HasSuffix(out.String(), "INT\n") {
				t.Errorf("the handle says %v, it printed %q", r.Err(), out.String())
			}
		})
	}
}

func TestAfterANotificationThatFailedNoneIsRun(t *testing.T) {
	var d diary
	release := make(chan struct{})
	r := serving(t, sleeper())
	r.Notify(d.notes("first", func() error { <-release; return errNoted }))
	r.Notify(d.notes("queued", succeeds))
	close(release)
	comesTrue(t, "the first ends", func() bool { return len(d.read()) == 2 })
	r.Notify(d.notes("late", succeeds))
	if err := r.end(); !errors.Is(err, errNoted) {
		t.Errorf("got %v", err)
	}
	r.Notify(d.notes("too late", succeeds))
	time.Sleep(50 * time.Millisecond)
	if got := d.read(); !slices.Equal(got, []string{"first begins", "first ends"}) {
		t.Errorf("got %q", got)
	}
}

// The kill is ours, and the exit that it makes no reason of its own.
func TestTheFirstFailureIsTheResult(t *testing.T) {
	first := errors.New("the first")
	t.Run("of two reports", func(t *testing.T) {
		r := serving(t, sleeper())
		r.Fail(first)
		r.Fail(errNoted)
		if err := r.end(); err != first {
			t.Errorf("got %v", err)
		}
	})
	t.Run("of a report and a notification", func(t *testing.T) {
		release := make(chan struct{})
		r := serving(t, sleeper())
		r.Notify(func(context.Context) error { <-release; return errNoted })
		r.Fail(first)
		close(release)
		if err := r.end(); err != first {
			t.Errorf("got %v", err)
		}
	})
	t.Run("of a report and the kill that follows", func(t *testing.T) {
		var out lines
		c := shell(t, stubborn, &out)
		c.Stop = process.Ladder{{Signal: syscall.SIGINT, Wait: 10 * time.Millisecond}}
		r := serving(t, c)
		await(t, &out, "on")
		r.Fail(first)
		if err := r.end(); err != first {
			t.Errorf("got %v", err)
		}
	})
	t.Run("of an exit and a notification that goes on", func(t *testing.T) {
		release := make(chan struct{})
		r := serving(t, shell(t, "sleep 0.1; exit 3", new(lines)))
		r.Notify(func(context.Context) error { <-release; return errNoted })
		comesTrue(t, "it ends", func() bool { return !r.Alive() })
		time.Sleep(300 * time.Millisecond) // until its end is the reason
		close(release)
		if got := child.ExitOf(r.end()).ExitStatus(); got != 3 || errors.Is(r.outcome, errNoted) {
			t.Errorf("got %v", r.outcome)
		}
	})
}

func TestTheResultWaitsForTheNotifications(t *testing.T) {
	for name, want := range map[string]error{"one that succeeds": nil, "one that fails": errNoted} {
		t.Run(name, func(t *testing.T) {
			release := make(chan struct{})
			r := serving(t, shell(t, "sleep 0.1; exit 0", new(lines)))
			r.Notify(func(context.Context) error { <-release; return want })
			comesTrue(t, "it ends", func() bool { return !r.Alive() })
			time.Sleep(50 * time.Millisecond)
			select {
			case <-r.done:
				t.Error("the result came before")
			case <-r.Done():
				t.Error("the handle's end came before")
			default:
			}
			close(release)
			if err := r.end(); !errors.Is(err, want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestSilenceAfterTheEndIsNoFailure(t *testing.T) {
	c := shell(t, "sleep 0.1; exit 0", new(lines))
	c.Idle = time.Second
	r := serving(t, c)
	r.Notify(func(context.Context) error { time.Sleep(1500 * time.Millisecond); return nil })
	if err := r.end(); err != nil {
		t.Errorf("got %v", err)
	}
}

// What counts as progress is for its owner to say: here a line of that name.
func TestOnlyProgressPutsOffTheTimeout(t *testing.T) {
	const timeout = 1500 * time.Millisecond
	var heart atomic.Pointer[child.Heart]
	var last atomic.Int64
	c := shell(t, `for i in 1 2 3 4 5 6; do sleep 0.3; echo progress; done; while sleep 0.05; do echo noise; done`, nil)
	c.Before = func(ctx context.Context, _ *process.Handle) error {
		heart.Store(child.Pulse(ctx))
		return nil
	}
	c.Stderr, c.Stdout = process.Output{}, process.Output{Writer: writerFunc(func(b []byte) (int, error) {
		if string(b) == "progress\n" {
			heart.Load().Beat()
			last.Store(time.Now().UnixNano())
		}
		return len(b), nil
	})}
	sup := supervised(t, supervisor.Spec{Children: []child.Specer{
		child.Spec{Name: "c", Run: c, Liveness: child.Liveness{Timeout: timeout}, Restart: child.Temporary},
	}})
	began := time.Now()
	awaitEvent(t, sup, supervisor.ChildExited, func(e supervisor.Event) bool {
		if e.Exit.Kind != child.KilledByUs || e.Exit.Reason != child.ByBeat {
			t.Errorf("got %v", e.Exit)
		}
		// It is looked at eight times in that time, which is how well the last
		// sign is known.
		if silent := e.Time.Sub(time.Unix(0, last.Load())); silent < timeout*7/8 || e.Time.Sub(began) < 1800*time.Millisecond {
			t.Errorf("it was ended %v after its start, and %v after its last progress", e.Time.Sub(began), silent)
		}
		return true
	})
	stopped(t, sup)
}
