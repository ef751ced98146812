package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

func TestASnapshotRemembersTheLastTenDeaths(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := 0
		sup := start(t, supervisor.Spec{
			Name: "root", Intensity: strategies.Intensity{Restarts: strategies.Unlimited}, Backoff: noDelay,
			Children: []child.Specer{child.Spec{Name: "fails", Run: child.Func(func(ctx context.Context) error {
				if run++; run > 13 {
					<-ctx.Done()
					return nil
				}
				time.Sleep(time.Duration(run) * time.Second)
				return fmt.Errorf("the %d.", run)
			})}},
		})
		time.Sleep(time.Hour)
		s := sup.Snapshot().Root.Children[0]
		if len(s.Deaths) != 10 {
			t.Fatalf("got %d deaths", len(s.Deaths))
		}
		for i, d := range s.Deaths {
			n := i + 4
			if d.Incarnation != uint64(n) || d.Exit.Text() != fmt.Sprintf("the %d.", n) || d.Lived != time.Duration(n)*time.Second {
				t.Errorf("death %d: got %+v", i, d)
			}
			if i > 0 && d.At.Sub(s.Deaths[i-1].At) != d.Lived {
				t.Errorf("death %d came %v after the one before", i, d.At.Sub(s.Deaths[i-1].At))
			}
		}
		if s.Last().Exit.Text() != "the 13." {
			t.Errorf("the last is %v", s.Last())
		}
		_ = sup.Stop(t.Context())
	})
}

func TestDeathsAreRememberedOverARebuilding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fails := errors.New("once")
		sup := start(t, supervisor.Spec{Name: "root", Backoff: noDelay, Children: []child.Specer{
			supervisor.Spec{Name: "sub", Children: []child.Specer{child.Spec{Name: "a", Run: child.Func(func(ctx context.Context) error {
				if child.Incarnation(ctx) == 1 {
					return fails
				}
				<-ctx.Done()
				return nil
			})}}},
		}})
		synctest.Wait()
		time.Sleep(time.Minute)
		if err := sup.Find("root/sub").Bounce(t.Context()); err != nil {
			t.Fatal(err)
		}
		a := sup.Snapshot().Root.Children[0].Children[0]
		if a.Incarnation != 3 || len(a.Deaths) != 1 || !errors.Is(a.Last().Exit.Err, fails) {
			t.Errorf("got incarnation %d, %v", a.Incarnation, a.Deaths)
		}
		_ = sup.Stop(t.Context())
	})
}
