package main

import (
	"context"
	"errors"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// step2 has all of it under coppice, and an order in which things start: nobody
// takes an order before the setup is done.
func step2(ctx context.Context, out *output) error {
	s := newShop(out)
	root, err := quiet.Start(ctx, supervisor.Spec{
		Name: "shop",
		Children: []child.Specer{
			child.Spec{Name: "setup", Run: s.setup, Ready: child.Readiness{Call: true}},
			supervisor.Spec{
				Name:    "trade",
				Backoff: strategies.Backoff{Min: strategies.None},
				Children: []child.Specer{
					child.Spec{Name: "orders", Run: s.orders},
					child.Spec{Name: "billing", Run: s.billing},
				},
			},
		},
	})
	if err != nil {
		return err
	}
	told := tellPanics(root, out)

	if _, err := root.Ref().StartChild(ctx, child.Spec{Name: "report", Run: s.report, Restart: child.Temporary}); err != nil {
		return err
	}
	halfTime(ctx)
	if err := root.Ref().TerminateChild(ctx, "report"); err != nil { // Temporary: its place goes, too
		return err
	}
	count, err := root.Ref().Count()
	if err != nil {
		return err
	}
	out.line("the report is gone, services left: %d", count.Active)

	err = root.Wait() // nil after the end of ctx, or a *StopError with those that did not stop
	<-told
	out.line("all stopped but %d", unstopped(err))
	return err
}

// unstopped is how many were left behind.
func unstopped(err error) int {
	var stop *supervisor.StopError
	if errors.As(err, &stop) {
		return len(stop.Blocked)
	}
	return 0
}
