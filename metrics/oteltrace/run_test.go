package oteltrace

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
)

// exporter is where a provider's spans go at once.
func exporter() (*tracetest.InMemoryExporter, *sdk.TracerProvider) {
	e := tracetest.NewInMemoryExporter()
	return e, sdk.NewTracerProvider(sdk.WithSyncer(e))
}

// traced runs a tree in virtual time for a while, and returns its spans. The
// child fails after half a second each time.
func traced(t *testing.T, length time.Duration) (spans tracetest.SpanStubs, began time.Time) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		began = time.Now()
		fails := func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(500 * time.Millisecond):
				return errors.New("no disk")
			}
		}
		sup, err := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}.Start(t.Context(), supervisor.Spec{
			Name: "shop", Children: []child.Specer{child.Spec{Name: "db", Run: child.Func(fails)}},
		})
		if err != nil {
			t.Fatal(err)
		}
		got, provider := exporter()
		over := make(chan error)
		go func() { over <- Run(context.Background(), sup, provider, Options{}) }()
		time.Sleep(length)
		if err := sup.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-over; err != nil {
			t.Error(err)
		}
		for _, s := range got.GetSpans() {
			if s.Name == "shop/db" {
				spans = append(spans, s)
			}
		}
	})
	return spans, began
}

func value(s tracetest.SpanStub, name attribute.Key) string {
	for _, a := range s.Attributes {
		if a.Key == name {
			return a.Value.String()
		}
	}
	return ""
}

func TestEachRunIsASpanFromItsStartToItsExit(t *testing.T) {
	spans, began := traced(t, 700*time.Millisecond)
	if len(spans) < 1 {
		t.Fatal("no span")
	}
	s := spans[0]
	if !s.StartTime.Equal(began) || s.EndTime.Sub(s.StartTime) != 500*time.Millisecond {
		t.Errorf("from %v for %v", s.StartTime.Sub(began), s.EndTime.Sub(s.StartTime))
	}
	for name, want := range map[attribute.Key]string{
		"coppice.path": "shop/db", "coppice.incarnation": "1", "coppice.next": "restarts",
		"coppice.exit": "error", "coppice.incomplete": "",
	} {
		if got := value(s, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestAFailureIsTheStatusOfItsSpanWithItsText(t *testing.T) {
	spans, _ := traced(t, 700*time.Millisecond)
	if s := spans[0].Status; s.Code != codes.Error || !strings.Contains(s.Description, "no disk") {
		t.Errorf("%+v", s)
	}
}

func TestAStopThatWasAskedForIsNoError(t *testing.T) {
	spans, _ := traced(t, 200*time.Millisecond)
	if len(spans) != 1 || spans[0].Status.Code != codes.Unset || value(spans[0], "coppice.cause") != "shutdown" {
		t.Errorf("%+v", spans)
	}
}

func TestTheDelayBeforeARestartIsAnEvent(t *testing.T) {
	spans, _ := traced(t, 10*time.Second)
	delays := 0
	for i := range spans {
		for _, e := range spans[i].Events {
			if e.Name != "restart_delayed" || i+1 == len(spans) {
				continue
			}
			delays++
			wait := time.Duration(e.Attributes[0].Value.AsFloat64() * float64(time.Second))
			if got := spans[i+1].StartTime.Sub(e.Time); (got - wait).Abs() > time.Millisecond {
				t.Errorf("delay %v, and the next run came after %v", wait, got)
			}
		}
	}
	if delays == 0 {
		t.Errorf("no delay in %d runs", len(spans))
	}
}

func TestARunIsLinkedToTheOneBefore(t *testing.T) {
	spans, _ := traced(t, 5*time.Second)
	if len(spans) < 2 || len(spans[0].Links) != 0 || len(spans[1].Links) != 1 {
		t.Fatalf("%d spans", len(spans))
	}
	if spans[1].Links[0].SpanContext.SpanID() != spans[0].SpanContext.SpanID() {
		t.Error("the link leads elsewhere")
	}
	if spans[0].SpanContext.TraceID() == spans[1].SpanContext.TraceID() {
		t.Error("two runs are one trace")
	}
}
