package main

import (
	"context"
	"time"

	"github.com/thejerf/suture/v4"
)

// step0 is the program before the move.
func step0(ctx context.Context, out *output) error {
	s := newShop(out)
	root := suture.New("shop", suture.Spec{
		Timeout: 2 * time.Second,
		EventHook: func(e suture.Event) {
			if e, ok := e.(suture.EventServicePanic); ok {
				out.line("event: %s panicked: %s", e.ServiceName, e.PanicMsg)
			}
		},
	})
	root.Add(s.setup)
	trade := suture.NewSimple("trade") // a subtree, with the hook of the root
	trade.Add(s.orders)
	trade.Add(s.billing)
	root.Add(trade)
	ended := root.ServeBackground(ctx)

	token := root.Add(s.report)
	halfTime(ctx)
	if err := root.RemoveAndWait(token, time.Second); err != nil {
		return err
	}
	out.line("the report is gone, services left: %d", len(root.Services()))

	<-ended // ctx's error, always
	unstopped, err := root.UnstoppedServiceReport()
	out.line("all stopped but %d", len(unstopped))
	return err
}
