package main

import (
	"context"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
)

// tree is data: nothing of it runs before it is started.
func tree(p *printer) supervisor.Spec {
	leaker := leak.With(nothing{})
	leaker.Memory = 256 << 20

	spinner := spin.With(nothing{})
	spinner.Pinged = true

	counter := count.With(task{Below: 2_000_000})
	counter.Result = func(_ context.Context, r primes) {
		p.line("%-16s found %d primes below %d", "isolated/counter", r.Number, r.Below)
	}
	return supervisor.Spec{
		Name: "isolated",
		Children: []child.Specer{
			child.Spec{Name: "leaker", Run: leaker},
			child.Spec{Name: "exiter", Run: exits.With(nothing{})},
			child.Spec{
				Name: "spinner", Run: spinner, Shutdown: 500 * time.Millisecond,
				Liveness: child.Liveness{Interval: 500 * time.Millisecond, Timeout: 500 * time.Millisecond},
			},
			child.Spec{Name: "counter", Run: counter, Restart: child.Transient},
		},
	}
}
