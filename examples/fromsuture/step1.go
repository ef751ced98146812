package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
	"github.com/thejerf/suture/v4"
)

// step1 has the subtree under coppice: a coppice supervisor is a service.
func step1(ctx context.Context, out *output) error {
	s := newShop(out)
	root := suture.New("shop", suture.Spec{
		Timeout: 2 * time.Second,
		EventHook: func(e suture.Event) {
			out.line("event: %s", e) // nothing that suture runs itself fails here
		},
	})
	root.Add(s.setup)
	trade, err := quiet.New(supervisor.Spec{
		Name:     "trade",
		Shutdown: time.Second,                              // less than the Timeout of suture
		Backoff:  strategies.Backoff{Min: strategies.None}, // suture restarts at once
		Children: []child.Specer{
			child.Spec{Name: "orders", Run: s.orders},
			child.Spec{Name: "billing", Run: s.billing},
		},
	})
	if err != nil {
		return err
	}
	root.Add(trade)
	ended := root.ServeBackground(ctx)
	told := tellPanics(trade, out)

	token := root.Add(s.report)
	halfTime(ctx)
	if err := root.RemoveAndWait(token, time.Second); err != nil {
		return err
	}
	out.line("the report is gone, services left: %d", len(root.Services()))

	<-ended
	<-told
	unstopped, err := root.UnstoppedServiceReport()
	out.line("all stopped but %d", len(unstopped))
	return err
}

// quiet has no log lines; a program of yours would keep them and need no hook.
var quiet = supervisor.Options{Logger: slog.New(slog.DiscardHandler)}

// tellPanics is the hook: it ends with the tree.
func tellPanics(sup *supervisor.Supervisor, out *output) (done chan struct{}) {
	done = make(chan struct{})
	go func() {
		defer close(done)
		for e := range sup.Events(context.Background(), 0) {
			if e.Kind == supervisor.ChildExited && e.Exit.Kind == child.Panicked {
				out.line("event: %s panicked: %s", e.Path, e.Exit.Text())
			}
		}
	}()
	return done
}
