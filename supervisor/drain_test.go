package supervisor_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
)

func TestATreeThatIsToldToStopDrainsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		options := supervisor.Options{Logger: quiet.Logger, Drain: 5 * time.Second}
		spec := supervisor.Spec{Name: "root", Children: []child.Specer{child.Spec{Name: "a", Run: child.Func(idle)}}}
		ctx, cancel := context.WithCancel(context.Background())
		sup, err := options.Start(ctx, spec)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		cancel()
		synctest.Wait()
		if s := sup.Snapshot(); !s.Draining || s.Root.Children[0].State != supervisor.Running {
			t.Errorf("while it drains: %+v", s)
		}
		if err := sup.Wait(); err != nil || time.Since(began) != 5*time.Second {
			t.Errorf("it ended after %v: %v", time.Since(began), err)
		}
		if sup.Snapshot().Draining {
			t.Error("it still drains after its end")
		}

		sup, err = options.Start(context.Background(), spec)
		if err != nil {
			t.Fatal(err)
		}
		began = time.Now()
		go func() { _ = sup.Stop(context.Background()) }()
		time.Sleep(time.Second)
		_ = sup.Stop(context.Background())
		if time.Since(began) != time.Second {
			t.Errorf("a second stop waited until %v", time.Since(began))
		}
	})
}

func TestWhatIsOfferedInTheWholeTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		offers := child.Func(func(ctx context.Context) error {
			child.Publish(ctx, len(child.Path(ctx)))
			<-ctx.Done()
			return nil
		})
		sup := start(t, supervisor.Spec{Name: "root", Children: []child.Specer{
			child.Spec{Name: "a", Run: offers},
			supervisor.Spec{Name: "sub", Children: []child.Specer{child.Spec{Name: "b", Run: offers}}},
			child.Spec{Name: "c", Run: child.Func(idle)},
		}})
		synctest.Wait()
		if all := supervisor.Offers[int](sup); len(all) != 2 || all["root/a"] != 6 || all["root/sub/b"] != 10 {
			t.Errorf("got %v", all)
		}
		_ = sup.Stop(context.Background())
		if all := supervisor.Offers[int](sup); len(all) != 0 {
			t.Errorf("after the end: %v", all)
		}
	})
}
