package oteltrace

import (
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/coppice-go/coppice/supervisor"
)

// book0 is a book of a tree of which a snapshot shows nothing that runs.
func book0(limit int, seq uint64) (*tracetest.InMemoryExporter, *book) {
	e, provider := exporter()
	return e, newBook(provider.Tracer(Scope), limit, func() supervisor.Snapshot {
		return supervisor.Snapshot{Seq: seq, Time: time.Now()}
	})
}

func event(seq uint64, kind supervisor.EventKind, path string) supervisor.Event {
	return supervisor.Event{Seq: seq, Time: time.Now(), Kind: kind, Path: path, Incarnation: 1}
}

func TestASpanThatNobodyEndsIsEndedAsIncomplete(t *testing.T) {
	got, b := book0(9, 0)
	b.event(event(1, supervisor.ChildStarting, "a/b"))
	b.close()
	if s := got.GetSpans(); len(s) != 1 || value(s[0], "coppice.incomplete") != "true" || len(b.open) != 0 {
		t.Errorf("%+v", s)
	}
}

func TestLostEventsLeaveNoSpanOpen(t *testing.T) {
	got, b := book0(9, 12)
	b.event(event(1, supervisor.ChildStarting, "a/lost"))
	b.event(supervisor.Event{Seq: 10, Kind: supervisor.Missed, Missed: 9})
	b.event(event(11, supervisor.ChildStopping, "a/x"))
	if len(got.GetSpans()) != 0 {
		t.Error("it was ended before the snapshot's event was read")
	}
	b.check.after = 14
	b.event(event(13, supervisor.ChildStarting, "a/new"))
	b.event(event(14, supervisor.ChildStarted, "a/new"))
	s := got.GetSpans()
	if len(s) != 1 || s[0].Name != "a/lost" || value(s[0], "coppice.incomplete") != "true" {
		t.Errorf("%+v", s)
	}
	if len(b.open) != 1 || len(b.before) != 0 {
		t.Errorf("%d open, %d remembered", len(b.open), len(b.before))
	}
}

func TestNoMoreSpansAreOpenThanTheLimitSays(t *testing.T) {
	got, b := book0(2, 0)
	for i, path := range []string{"a/1", "a/2", "a/3"} {
		b.event(event(uint64(i+1), supervisor.ChildStarting, path))
	}
	if len(b.open) != 2 || len(b.before) != 2 {
		t.Errorf("%d open, %d remembered", len(b.open), len(b.before))
	}
	b.event(event(4, supervisor.ChildExited, "a/3"))
	if s := got.GetSpans(); len(s) != 1 || s[0].Name != "a/3" || value(s[0], "coppice.incomplete") != "true" {
		t.Errorf("%+v", s)
	}
}

func TestWhatIsWrongIsAnError(t *testing.T) {
	if Run(t.Context(), nil, nil, Options{}) == nil || Run(t.Context(), new(supervisor.Supervisor), nil, Options{Max: -1}) == nil {
		t.Error("no error")
	}
}
