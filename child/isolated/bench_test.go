//go:build unix

package isolated_test

import (
	"context"
	"testing"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/isolated"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/supervisor"
)

// BenchmarkIsolated reports how long a copy takes from its start to its first
// word, beside a program that does nothing, and how long a question to it and
// its answer take.
func BenchmarkIsolated(b *testing.B) {
	start := func(b *testing.B, run child.Service) *supervisor.Supervisor {
		b.Helper()
		sup, err := quiet.Start(b.Context(), supervisor.Spec{Name: "root", Children: []child.Specer{child.Spec{Name: "worker", Run: run}}})
		if err != nil {
			b.Fatal(err)
		}
		return sup
	}
	starts := func(run child.Service) func(b *testing.B) {
		return func(b *testing.B) {
			for b.Loop() {
				sup := start(b, run)
				b.StopTimer()
				_ = sup.Stop(context.Background())
				b.StartTimer()
			}
		}
	}
	s := waiter.With("")
	s.Command = discard
	b.Run("start to ready", starts(s))
	b.Run("floor: start of a program", starts(process.Command{Path: "sleep", Args: []string{"60"}}))
	b.Run("a round trip", func(b *testing.B) {
		p := &pinged{Service: s, context: make(chan context.Context, 1)}
		sup := start(b, p)
		defer sup.Stop(context.Background()) //nolint:errcheck // nothing hangs on it
		ctx := <-p.context
		for b.Loop() {
			if err := p.Ping(ctx); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("a call", func(b *testing.B) {
		for b.Loop() {
			if _, err := echo.Call(b.Context(), question{Text: "x", Times: 1}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// pinged is a service that lets go of the context of its run.
type pinged struct {
	isolated.Service[string, string]
	context chan context.Context
}

func (p *pinged) Make() child.Service { return child.Func(p.Serve) }

func (p *pinged) Serve(ctx context.Context) error {
	p.context <- ctx
	return p.Service.Serve(ctx)
}
