package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
	"github.com/coppice-go/coppice/supervisor/supervisortest"
	"github.com/thejerf/suture/v4"
)

// What docs/FROM_SUTURE.md advises does what it says there.

func idle(ctx context.Context) error { <-ctx.Done(); return nil }

func TestATerminationStaysInASubtreeThatShutsItselfDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		job := func(context.Context) error {
			runs++
			time.Sleep(time.Minute)
			return suture.ErrTerminateSupervisorTree
		}
		batch := supervisor.Spec{
			Name: "batch", Restart: child.Transient, AutoShutdown: supervisor.AnySignificant,
			Children: []child.Specer{
				child.Spec{Name: "helper", Run: child.Func(idle)},
				child.Spec{
					Name: "job", Restart: child.Transient, Significant: true,
					Run: child.Func(func(ctx context.Context) error {
						err := job(ctx)
						if errors.Is(err, suture.ErrTerminateSupervisorTree) {
							return nil
						}
						return err
					}),
				},
			},
		}
		sup, err := quiet.Start(t.Context(), supervisor.Spec{Name: "root", Children: []child.Specer{
			batch, child.Spec{Name: "sibling", Run: child.Func(idle)},
		}})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if s, err := sup.Find("root/batch").Status(); err != nil || s.State != supervisor.Down || runs != 1 {
			t.Errorf("the subtree is %v after %d runs, %v", s.State, runs, err)
		}
		if s, err := sup.Find("root/sibling").Status(); err != nil || s.State != supervisor.Running {
			t.Errorf("the sibling is %v, %v", s.State, err)
		}
		if err := sup.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestTheNearestToSutureNeverGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fails := child.Func(func(context.Context) error { return errors.New("no") })
		sup, err := quiet.Start(t.Context(), supervisor.Spec{
			Name:         "shop",
			Intensity:    strategies.Intensity{Restarts: strategies.Unlimited},
			Backoff:      strategies.Backoff{Max: 15 * time.Second, Jitter: 0.5},
			StopTogether: true,
			Shutdown:     10 * time.Second,
			Children:     []child.Specer{child.Spec{Name: "orders", Run: fails, Shutdown: 10 * time.Second}},
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		s, err := sup.Find("shop/orders").Status()
		if least := uint64(time.Hour / (23 * time.Second)); err != nil || s.Restarts < least || s.State != supervisor.Restarting {
			t.Errorf("after an hour it is %v after %d restarts, %v", s.State, s.Restarts, err)
		}
		if err := sup.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestASupervisorOfSutureRunsUnderCoppice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spec := supervisor.Spec{Name: "shop", Children: []child.Specer{
			child.Spec{Name: "old", Shutdown: 12 * time.Second, Run: child.Fresh(func() child.Service {
				old := suture.NewSimple("old")
				old.Add(child.Func(idle))
				return old
			})},
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := quiet.Run(ctx, spec); err != nil {
			t.Error(err)
		}
	})
}

func TestAChildIsTakenAwayAsByRemoveAndWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup, err := quiet.Start(t.Context(), supervisor.Spec{Name: "shop"})
		if err != nil {
			t.Fatal(err)
		}
		permanent := child.Spec{Name: "report", Run: child.Func(idle)}
		if _, err := sup.Ref().StartChild(t.Context(), permanent); err != nil {
			t.Error(err)
		}
		if err := sup.Ref().TerminateChild(t.Context(), "report"); err != nil {
			t.Error(err)
		}
		if err := sup.Ref().DeleteChild(t.Context(), "report"); err != nil {
			t.Error(err)
		}
		slow := child.Spec{Name: "slow", Run: child.Func(func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(4 * time.Second)
			return nil
		})}
		if _, err := sup.Ref().StartChild(t.Context(), slow); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := sup.Ref().TerminateChild(ctx, "slow"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if err := sup.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if _, err := sup.Ref().StartChild(t.Context(), permanent); !errors.Is(err, supervisor.ErrStopped) {
			t.Errorf("got %v", err)
		}
	})
}

func TestAnEventIsDataForAHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup, err := quiet.Start(t.Context(), supervisor.Spec{Name: "shop", Children: []child.Specer{
			child.Spec{Name: "billing", Run: child.Func(func(context.Context) error { panic("no address") })},
		}})
		if err != nil {
			t.Fatal(err)
		}
		w := supervisortest.Watch(t.Context(), sup)
		if err := w.Expect(supervisortest.Exited("shop/billing", child.Panicked)); err != nil {
			t.Error(err)
		}
		for e := range sup.Events(t.Context(), 0) {
			if e.Kind != supervisor.ChildExited {
				continue
			}
			line, err := json.Marshal(e)
			if err != nil || !strings.Contains(string(line), "no address") {
				t.Errorf("got %s, %v", line, err)
			}
			var panicked *child.PanicError
			if !errors.As(e.Exit.Err, &panicked) || panicked.Stack() == "" {
				t.Errorf("got %v", e.Exit.Err)
			}
			break
		}
		if err := sup.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
