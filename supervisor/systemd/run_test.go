package systemd

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
)

var quiet = supervisor.Options{Logger: slog.New(slog.DiscardHandler)}

func idle(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func one(run child.Service) supervisor.Spec {
	return supervisor.Spec{Name: "root", Children: []child.Specer{child.Spec{Name: "one", Run: run}}}
}

// listener is systemd, as far as a follower knows it.
type listener struct {
	mu   sync.Mutex // protects what follows
	deaf bool
	told []string
}

func (l *listener) send(text string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.deaf {
		return errors.New("nobody listens")
	}
	l.told = append(l.told, text)
	return nil
}

func (l *listener) setDeaf(deaf bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deaf = deaf
}

// take is what was told since the last call.
func (l *listener) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	told := l.told
	l.told = nil
	return told
}

// count is how many of what was told since the last take hold a field.
func (l *listener) count(field string) (n int) {
	for _, text := range l.take() {
		if slices.Contains(strings.Split(text, "\n"), field) {
			n++
		}
	}
	return n
}

// following runs spec with a follower, in a bubble.
func following(t *testing.T, spec supervisor.Spec, beat time.Duration) (*supervisor.Supervisor, *follower, *listener, chan error) {
	t.Helper()
	sup, err := quiet.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	l, done := new(listener), make(chan error, 1)
	f := &follower{sup: sup, look: sup.Snapshot, send: l.send, teller: teller{beat: beat}}
	return sup, f, l, done
}

func TestATreeIsFollowedFromItsStartToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup, f, l, done := following(t, one(child.Func(idle)), 15*time.Second)
		go func() { done <- f.follow() }()
		time.Sleep(time.Second)
		if got := strings.Join(l.take(), "|"); got != "READY=1\nSTATUS=1 child running\nWATCHDOG=1" {
			t.Errorf("the start: got %q", got)
		}
		time.Sleep(time.Hour)
		if n := l.count("WATCHDOG=1"); n < 239 || n > 241 {
			t.Errorf("in an hour it was fed %d times, want 240", n)
		}
		if err := sup.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(l.take(), "|"); !strings.HasPrefix(got, "STOPPING=1") || !strings.HasSuffix(got, "STATUS=stopped") {
			t.Errorf("the end: got %q", got)
		}
	})
}

func TestALongStopIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup, f, l, done := following(t, one(child.Func(func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(3 * time.Second)
			return nil
		})), time.Second)
		go func() { done <- f.follow() }()
		time.Sleep(time.Minute + time.Second/2) // between two beats
		l.take()
		go func() { _ = sup.Stop(context.Background()) }()
		time.Sleep(100 * time.Millisecond)
		if got := strings.Join(l.take(), "|"); !strings.HasPrefix(got, "STOPPING=1\nEXTEND_TIMEOUT_USEC=26000000\nSTATUS=stopping: ") {
			t.Errorf("got %q", got)
		}
		time.Sleep(2 * time.Second)
		if n := l.count("WATCHDOG=1"); n != 0 {
			t.Errorf("while it stopped it was fed %d times", n)
		}
		<-done
	})
}

func TestATreeThatHasGivenUpIsNotFed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fails := child.Func(func(context.Context) error { return errors.New("no disk") })
		spec := one(fails)
		spec.Intensity.Period = time.Hour // no restart at all
		_, f, l, done := following(t, spec, time.Second)
		go func() { done <- f.follow() }()
		<-done
		told := l.take()
		if last := told[len(told)-1]; !strings.Contains(last, "no disk") {
			t.Errorf("got %q", last)
		}
		time.Sleep(time.Hour)
		if n := len(l.take()); n != 0 {
			t.Errorf("it was told %d times", n)
		}
	})
}

func TestASupervisorThatDoesNotAnswerIsNotFed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup, f, l, done := following(t, one(child.Func(idle)), time.Second)
		answer := make(chan struct{})
		looks := 0
		f.look = func() supervisor.Snapshot {
			if looks++; looks == 3 {
				<-answer
			}
			return sup.Snapshot()
		}
		go func() { done <- f.follow() }()
		time.Sleep(time.Minute)
		if n := l.count("WATCHDOG=1"); n > 2 {
			t.Errorf("it was fed %d times", n)
		}
		close(answer)
		time.Sleep(10 * time.Second)
		if n := l.count("WATCHDOG=1"); n < 9 {
			t.Errorf("afterwards it was fed %d times", n)
		}
		_ = sup.Stop(t.Context())
		<-done
	})
}

func TestWhatCouldNotBeSentIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup, f, l, done := following(t, one(child.Func(idle)), 0)
		l.setDeaf(true)
		go func() { done <- f.follow() }()
		time.Sleep(10 * time.Second)
		l.setDeaf(false)
		time.Sleep(2 * time.Second)
		if got := strings.Join(l.take(), "|"); got != "READY=1\nSTATUS=1 child running" {
			t.Errorf("got %q", got)
		}
		_ = sup.Stop(t.Context())
		if err := <-done; err == nil || err.Error() != "nobody listens" {
			t.Errorf("got %v", err)
		}
	})
}

func TestABusyTreeIsLookedAtOnlyNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		crashes := child.Func(func(context.Context) error {
			time.Sleep(time.Millisecond)
			return errors.New("again")
		})
		spec := one(crashes)
		spec.Intensity.Restarts, spec.Intensity.Period = 1<<30, time.Second
		sup, f, l, done := following(t, spec, 0)
		looks := 0
		f.look = func() supervisor.Snapshot { looks++; return sup.Snapshot() }
		go func() { done <- f.follow() }()
		time.Sleep(10 * time.Second)
		_ = sup.Stop(t.Context())
		<-done
		if told := len(l.take()); looks > 210 || told > 13 {
			t.Errorf("in ten seconds it was looked at %d times and told %d times", looks, told)
		}
	})
}
