package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
)

// pool is a dynamic supervisor whose template makes children that do run, under
// the name that is the argument.
func pool(run func(context.Context) error) supervisor.Spec {
	return supervisor.Spec{Name: "pool", Template: func(arg any) child.Spec {
		return child.Spec{Name: arg.(string), Run: child.Func(run), Shutdown: 10 * time.Second}
	}}
}

// names are the children of the pool, in their order.
func names(t *testing.T, sup *supervisor.Supervisor) string {
	t.Helper()
	children, err := sup.Find("pool").Children()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, c := range children {
		all = append(all, c.Name)
	}
	return strings.Join(all, " ")
}

func TestScaleStartsAndTerminatesUntilThereAreSoMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup := start(t, pool(idle))
		pool := sup.Find("pool")
		for _, step := range []struct {
			do   func() error
			want string
		}{
			{func() error { return pool.Scale(t.Context(), 3, "web") }, "web-1 web-2 web-3"},
			{func() error { return pool.Scale(t.Context(), 3, "web") }, "web-1 web-2 web-3"},
			{func() error { return pool.Scale(t.Context(), 2, "job") }, "web-1 web-2 web-3 job-1 job-2"},
			{func() error { return pool.TerminateChild(t.Context(), "web-1") }, "web-2 web-3 job-1 job-2"},
			{func() error { return pool.Scale(t.Context(), 4, "web") }, "web-2 web-3 job-1 job-2 web-1 web-4"},
			{func() error { return pool.Scale(t.Context(), 2, "web") }, "web-2 web-3 job-1 job-2"},
			{func() error { return pool.Scale(t.Context(), 2, "") }, "web-2 web-3 job-1 job-2 1 2"},
			{func() error { return pool.Scale(t.Context(), 0, "web") }, "job-1 job-2 1 2"},
			{func() error { _, err := pool.StartChild(t.Context(), "web-x"); return err }, "job-1 job-2 1 2 web-x"},
			{func() error { _, err := pool.StartChild(t.Context(), "web-01"); return err }, "job-1 job-2 1 2 web-x web-01"},
			{func() error { return pool.Scale(t.Context(), 1, "web") }, "job-1 job-2 1 2 web-x web-01 web-1"},
			{func() error { return pool.Scale(t.Context(), 0, "") }, "job-1 job-2 web-x web-01 web-1"},
		} {
			if err := step.do(); err != nil {
				t.Fatal(err)
			}
			if got := names(t, sup); got != step.want {
				t.Fatalf("got %q, want %q", got, step.want)
			}
		}
		if err := sup.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestScaleTerminatesTheYoungestFirstAndTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup := start(t, pool(func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(3 * time.Second)
			return nil
		}))
		if err := sup.Find("pool").Scale(t.Context(), 4, "x"); err != nil {
			t.Fatal(err)
		}
		began, before := time.Now(), sup.Snapshot().Seq
		if err := sup.Find("pool").Scale(t.Context(), 1, "x"); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("it took %v", took)
		}
		_ = sup.Stop(context.Background())
		var told []string
		for e := range sup.Events(t.Context(), before) {
			if e.Kind == supervisor.ChildStopping {
				told = append(told, e.Path)
			}
		}
		if got := strings.Join(told, " "); got != "pool/x-4 pool/x-3 pool/x-2 pool/x-1" {
			t.Errorf("told were %s", got)
		}
	})
}

func TestScaleCountsAChildThatWaitsForItsRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup := start(t, pool(func(context.Context) error { return errLife }))
		if err := sup.Find("pool").Scale(t.Context(), 2, "x"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := sup.Find("pool").Scale(t.Context(), 2, "x"); err != nil {
			t.Error(err)
		}
		if got := names(t, sup); got != "x-1 x-2" {
			t.Errorf("got %q", got)
		}
		if err := sup.Find("pool").Scale(t.Context(), 0, "x"); err != nil {
			t.Error(err)
		}
		if got := names(t, sup); got != "" {
			t.Errorf("got %q", got)
		}
		_ = sup.Stop(context.Background())
	})
}

func TestScaleEndsWithTheFirstChildThatFailsToStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spec := pool(idle)
		made := 0
		spec.Template = func(any) child.Spec {
			made++
			run := idle
			if made == 3 {
				run = func(context.Context) error { return &child.StartError{Err: errLife} }
			}
			return child.Spec{Name: "x", Run: child.Func(run), Ready: child.Readiness{Call: made == 3}}
		}
		sup := start(t, spec)
		err := sup.Find("pool").Scale(t.Context(), 5, nil)
		var call *supervisor.CallError
		if !errors.Is(err, supervisor.ErrStartFailed) || !errors.As(err, &call) || call.Call != "scale" || !strings.Contains(err.Error(), "pool/x-3") {
			t.Errorf("got %v", err)
		}
		if got := names(t, sup); got != "x-1 x-2" || made != 3 {
			t.Errorf("got %q of %d made", got, made)
		}
		_ = sup.Stop(context.Background())
	})
}

func TestScaleSaysWhatItCannotDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spec := pool(idle)
		spec.MaxChildren = 2
		sup := start(t, supervisor.Spec{Name: "root", Children: []child.Specer{spec, child.Spec{Name: "worker", Run: child.Func(idle)}}})
		for _, c := range []struct {
			name string
			err  error
			want error
		}{
			{"without a template", sup.Find("root").Scale(t.Context(), 1, "x"), supervisor.ErrNoTemplate},
			{"of a worker", sup.Find("root/worker").Scale(t.Context(), 1, "x"), supervisor.ErrNotSupervisor},
			{"of nobody", sup.Find("root/none").Scale(t.Context(), 1, "x"), supervisor.ErrNotFound},
			{"of no tree", supervisor.Ref{}.Scale(t.Context(), 1, "x"), supervisor.ErrNoTree},
			{"beyond the most", sup.Find("root/pool").Scale(t.Context(), 3, "x"), supervisor.ErrMaxChildren},
		} {
			if !errors.Is(c.err, c.want) {
				t.Errorf("%s: got %v", c.name, c.err)
			}
		}
		for _, c := range []struct {
			n    int
			arg  any
			want string
		}{{-1, "x", "must not be negative"}, {9, 7, "the template panicked"}, {9, "a b", "Name"}} {
			if err := sup.Find("root/pool").Scale(t.Context(), c.n, c.arg); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%d of %v: got %v", c.n, c.arg, err)
			}
		}
		_ = sup.Stop(context.Background())
	})
}

func TestScalesOfOneSupervisorTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spec := pool(nil)
		spec.Template = func(any) child.Spec { // each start takes a second
			return child.Spec{Name: "x", Ready: child.Readiness{Call: true}, Run: child.Func(func(ctx context.Context) error {
				time.Sleep(time.Second)
				child.Ready(ctx)
				return idle(ctx)
			})}
		}
		sup := start(t, spec)
		var scales sync.WaitGroup
		for i := range 4 {
			scales.Go(func() {
				if err := sup.Find("pool").Scale(t.Context(), 5, nil); err != nil {
					t.Error(fmt.Errorf("scale %d: %w", i, err))
				}
			})
		}
		synctest.Wait()
		impatient, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if err := sup.Find("pool").Scale(impatient, 0, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		scales.Wait()
		if got := names(t, sup); got != "x-1 x-2 x-3 x-4 x-5" {
			t.Errorf("got %q", got)
		}
		_ = sup.Stop(context.Background())
	})
}
