package supervisor_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
	"github.com/thejerf/suture/v4"
)

// The tests in the files guarantee_*_test.go are the guarantees of the package
// doc, sentence by sentence.

// journal is what children note.
type journal struct {
	mu    sync.Mutex // protects words
	words []string
}

func (j *journal) note(word string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.words = append(j.words, word)
}

// take is all that was noted since the last take.
func (j *journal) take() string {
	synctest.Wait()
	j.mu.Lock()
	defer j.mu.Unlock()
	words := strings.Join(j.words, " ")
	j.words = nil
	return words
}

// want fails unless that was noted since the last take.
func (j *journal) want(t *testing.T, want string) {
	t.Helper()
	if got := j.take(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// child is one that notes +name when it begins, =name when it is ready, which
// takes so long, and -name when it is told to stop.
func (j *journal) child(name string, start time.Duration) child.Spec {
	return child.Spec{Name: name, Ready: child.Readiness{Call: true}, Run: child.Func(func(ctx context.Context) error {
		j.note("+" + name)
		select {
		case <-time.After(start):
			j.note("=" + name)
			child.Ready(ctx)
		case <-ctx.Done():
		}
		<-ctx.Done()
		j.note("-" + name)
		return nil
	})}
}

// failing is a child that needs so long for its start, which fails.
func (j *journal) failing(name string, takes time.Duration) child.Spec {
	return child.Spec{Name: name, Ready: child.Readiness{Call: true}, Run: child.Func(func(context.Context) error {
		j.note("+" + name)
		time.Sleep(takes)
		j.note("x" + name)
		return errLife
	})}
}

// status is where the place at path stands.
func status(t *testing.T, sup *supervisor.Supervisor, path string) supervisor.Status {
	t.Helper()
	synctest.Wait()
	s, err := sup.Find(path).Status()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// stop stops the tree, which must succeed.
func stop(t *testing.T, sup *supervisor.Supervisor) {
	t.Helper()
	if err := sup.Stop(context.Background()); err != nil {
		t.Errorf("the stop: %v", err)
	}
}

func TestAStartIsCompleteWhenTheServiceSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(journal)
		began := time.Now()
		sup := start(t, treeOf("root", worker("at-once"), j.child("called", time.Second), treeOf("sub", j.child("deep", 2*time.Second))))
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("the start took %v", took)
		}
		for _, path := range []string{"root", "root/at-once", "root/called", "root/sub", "root/sub/deep"} {
			if s := status(t, sup, path); s.State != supervisor.Running {
				t.Errorf("%s is %v", path, s.State)
			}
		}
		began = time.Now()
		if err := sup.Find("root/sub").Bounce(t.Context()); err != nil || time.Since(began) != 2*time.Second {
			t.Errorf("a bounce took %v, %v", time.Since(began), err)
		}
		stop(t, sup)
	})
}

func TestChildrenStartOneAfterTheOtherInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(journal)
		sup := start(t, treeOf("root", j.child("a", time.Second), treeOf("sub", j.child("b", time.Second), j.child("c", 0)), j.child("d", time.Second)))
		j.want(t, "+a =a +b =b +c =c +d =d")
		stop(t, sup)
	})
}

func TestAStartThatFailsAtInitIsRolledBackInReverseOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(journal)
		spec := treeOf("root", j.child("a", 0), treeOf("sub", j.child("b", 0), j.failing("bad", time.Second), j.child("never", 0)))
		_, err := quiet.Start(t.Context(), spec)
		var exit *supervisor.ExitError
		if !errors.As(err, &exit) || exit.Cause != supervisor.InitFailed || exit.Child != "root/sub" || !errors.Is(err, errLife) {
			t.Errorf("Start: got %v", err)
		}
		j.want(t, "+a =a +b =b +bad xbad -b -a")
		if err := quiet.Run(t.Context(), spec); !errors.Is(err, errLife) {
			t.Errorf("Run: got %v", err)
		}
	})
}

func TestAStartThatFailsLaterIsRetriedAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		spec := child.Spec{Name: "w", Ready: child.Readiness{Call: true}, Run: child.Func(func(ctx context.Context) error {
			if runs++; runs > 1 && runs < 4 {
				return errLife // before it is ready
			}
			child.Ready(ctx)
			time.Sleep(time.Hour)
			return errLife
		})}
		root := treeOf("root", spec)
		root.Intensity, root.Backoff = strategies.Intensity{Restarts: 3, Period: time.Hour}, noDelay
		sup := start(t, root)
		time.Sleep(time.Hour + time.Minute)
		if s := status(t, sup, "root/w"); s.State != supervisor.Running || s.Restarts != 3 || status(t, sup, "root").WindowRestarts != 3 {
			t.Errorf("got %+v", s)
		}
		if err := sup.Wait(); !errors.Is(err, errLife) { // the fourth, an hour later to the nanosecond
			t.Errorf("got %v", err)
		}
	})
}

func TestARunThatEndsBeforeItsReadinessHasFailedToStart(t *testing.T) {
	for name, tt := range map[string]struct {
		answer error
		fails  bool
	}{
		"nil":                    {nil, true},
		"an error":               {errLife, true},
		"suture.ErrDoNotRestart": {suture.ErrDoNotRestart, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				spec := child.Spec{Name: "w", Ready: child.Readiness{Call: true}, Run: child.Func(func(context.Context) error { return tt.answer })}
				sup, err := quiet.Start(t.Context(), treeOf("root", spec, worker("other")))
				if tt.fails {
					var exit child.Exit
					if !errors.As(err, &exit) || exit.Kind != child.StartFailed {
						t.Errorf("got %v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if s := status(t, sup, "root/w"); s.State != supervisor.Down {
					t.Errorf("it is %v", s.State)
				}
				stop(t, sup)
			})
		})
	}
}

func TestAReadinessThatDoesNotComeWithinItsPatienceIsAFailedStart(t *testing.T) {
	for patience, want := range map[time.Duration]time.Duration{0: 30 * time.Second, time.Minute: time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			spec := child.Spec{Name: "w", Ready: child.Readiness{Call: true, Patience: patience}, Run: child.Func(idle)}
			began := time.Now()
			_, err := quiet.Start(t.Context(), treeOf("root", spec))
			var exit child.Exit
			if !errors.As(err, &exit) || exit.Kind != child.StartFailed || exit.Reason != child.ByReadiness || time.Since(began) != want {
				t.Errorf("got %v after %v, want it after %v", err, time.Since(began), want)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) { // each attempt has its own
		j, runs := new(journal), 0
		late := child.Spec{Name: "w", Ready: child.Readiness{Call: true, Patience: time.Minute}, Backoff: noDelay, Run: child.Func(func(ctx context.Context) error {
			if runs++; runs == 2 || runs == 3 {
				return idle(ctx)
			}
			child.Ready(ctx)
			j.note(time.Now().Format("04:05"))
			select {
			case <-time.After(time.Hour):
				return errLife
			case <-ctx.Done():
				return nil
			}
		})}
		sup := start(t, treeOf("root", late))
		time.Sleep(time.Hour + 5*time.Minute)
		j.want(t, "00:00 02:00") // ready at once, down after an hour, two attempts of a minute
		stop(t, sup)
	})
}

func TestAFailedStartIsAShortRunHoweverLongItTook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		slow := child.Spec{Name: "w", Ready: child.Readiness{Call: true, Patience: time.Hour}, Run: child.Func(func(ctx context.Context) error {
			runs++
			if runs > 1 && runs < 4 {
				time.Sleep(10 * time.Minute) // far longer than the threshold
				return errLife
			}
			child.Ready(ctx)
			return errLife
		})}
		sup := start(t, treeOf("root", slow))
		if s := status(t, sup, "root/w"); s.State != supervisor.Restarting || s.Wait != time.Second {
			t.Errorf("after a run that was ready and short: %v in %v", s.State, s.Wait)
		}
		time.Sleep(time.Second + 10*time.Minute)
		if s := status(t, sup, "root/w"); s.State != supervisor.Restarting || s.Wait != 2*time.Second {
			t.Errorf("after a start that failed: %v in %v", s.State, s.Wait)
		}
		stop(t, sup)
	})
	synctest.Test(t, func(t *testing.T) { // a long start and a short run
		slow := child.Spec{Name: "w", Ready: child.Readiness{Call: true}, Run: child.Func(func(ctx context.Context) error {
			time.Sleep(10 * time.Second)
			child.Ready(ctx)
			return errLife
		})}
		sup := start(t, treeOf("root", slow))
		if s := status(t, sup, "root/w"); s.State != supervisor.Restarting || s.Wait != time.Second {
			t.Errorf("got %v in %v", s.State, s.Wait)
		}
		stop(t, sup)
	})
}

func TestAStopInterruptsAStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(journal)
		sup, err := quiet.New(treeOf("root", j.child("a", 0), j.child("b", time.Minute), j.child("c", 0)))
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error)
		go func() { served <- sup.Serve(t.Context()) }()
		time.Sleep(time.Second)
		began := time.Now()
		stop(t, sup)
		if err := <-served; !errors.Is(err, suture.ErrDoNotRestart) || time.Since(began) > 0 {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
		j.want(t, "+a =a +b -b -a")
	})
}
