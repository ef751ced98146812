package oteltrace

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"

	"github.com/coppice-go/coppice/supervisor"
)

// Scope is the name under which the spans are made.
const Scope = "github.com/coppice-go/coppice/metrics/oteltrace"

// DefaultMax is the limit of open spans where none is given.
const DefaultMax = 1 << 16

// Options says how the spans are made. The zero value is good.
type Options struct {
	// Max is how many spans are open at most, and how many children are
	// remembered for the links. A run that begins beyond it has, at its exit, a
	// span that is incomplete. Optional; zero is DefaultMax.
	Max int
}

// Run makes a span for each run of a child of sup, first for those that the held
// events tell of. A nil provider is the global one of OpenTelemetry. Run returns
// nil when the tree has ended and all is told, or when ctx ends; spans that are
// open then are ended as incomplete.
// The error is for a nil sup or a negative Max. Any number of goroutines may run
// it, each of which makes spans of its own.
//
// Run never slows the tree: where it falls behind, events are lost, and the spans
// that they would have ended are ended as incomplete.
func Run(ctx context.Context, sup *supervisor.Supervisor, provider trace.TracerProvider, o Options) error {
	switch {
	case sup == nil:
		return errors.New("oteltrace: no supervisor")
	case o.Max < 0:
		return errors.New("oteltrace: Max is negative")
	case o.Max == 0:
		o.Max = DefaultMax
	}
	if provider == nil {
		provider = otel.GetTracerProvider()
	}
	b := newBook(provider.Tracer(Scope), o.Max, sup.Snapshot)
	defer b.close()
	for e := range sup.Events(ctx, 0) {
		b.event(e)
	}
	return nil
}
