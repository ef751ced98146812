package supervisor_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/coppice-go/coppice/child"
)

func TestWhatARunTellsOfItselfIsInTheStatusOfItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup := start(t, one("w", func(ctx context.Context) error {
			child.Publish(ctx, child.Facts{PID: 7})
			return idle(ctx)
		}))
		synctest.Wait()
		children, err := sup.Ref().Children()
		if err != nil {
			t.Fatal(err)
		}
		if s := status(t, sup, "root/w"); s.Facts.PID != 7 || children[0].Facts != s.Facts || sup.Snapshot().Root.Children[0].Facts != s.Facts {
			t.Errorf("got %+v, %+v", s.Facts, children[0].Facts)
		}
		stop(t, sup)
	})
}
