package oteltrace

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/coppice-go/coppice/supervisor"
)

// key is one run.
type key struct {
	path        string
	incarnation uint64
}

// run is a span that is open, and the number of the event that began it.
type run struct {
	span  trace.Span
	begun uint64
}

// check is a snapshot that is compared with what is open, once the event is read
// by which all that it shows is told.
type check struct {
	snap  supervisor.Snapshot
	after uint64
}

// book holds the spans that are open. It belongs to one goroutine.
type book struct {
	tracer   trace.Tracer
	max      int
	snapshot func() supervisor.Snapshot
	open     map[key]run
	before   map[string]trace.SpanContext // the last run of each child
	check    *check                       // after a loss
}

func newBook(tracer trace.Tracer, limit int, snapshot func() supervisor.Snapshot) *book {
	return &book{
		tracer: tracer, max: limit, snapshot: snapshot,
		open: map[key]run{}, before: map[string]trace.SpanContext{},
	}
}

// event writes an event into the span that it belongs to.
func (b *book) event(e supervisor.Event) {
	k := key{e.Path, e.Incarnation}
	switch e.Kind {
	case supervisor.Missed:
		// What is lost may be the end of runs. The snapshot may show events
		// beyond its own number, but none beyond that of the next.
		snap := b.snapshot()
		b.check = &check{snap, b.snapshot().Seq}
	case supervisor.ChildStarting:
		b.begin(k, e)
	case supervisor.ChildExited:
		b.exit(k, e)
	case supervisor.ChildRemoved:
		delete(b.before, e.Path)
	case supervisor.ChildStarted:
		if _, ok := b.open[k]; !ok {
			b.begin(k, e) // its start was complete at once
		}
		b.note(k, e)
	case supervisor.ChildStopping, supervisor.ChildKilled, supervisor.ChildStuck,
		supervisor.SupervisorGaveUp:
		b.note(k, e)
	}
	if b.check != nil && e.Seq >= b.check.after {
		b.reconcile()
	}
}

// begin opens the span of a run, if there is room.
func (b *book) begin(k key, e supervisor.Event) {
	b.drop(k, e.Time)
	if len(b.open) < b.max {
		b.open[k] = run{b.span(k, e.Time), e.Seq}
	}
}

// span makes the span of a run, with a link to the run before.
func (b *book) span(k key, at time.Time) trace.Span {
	options := []trace.SpanStartOption{
		trace.WithNewRoot(), trace.WithTimestamp(at),
		trace.WithAttributes(
			attribute.String("coppice.path", k.path),
			attribute.Int64("coppice.incarnation", int64(k.incarnation)),
		),
	}
	last, known := b.before[k.path]
	if known {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: last}))
	}
	_, span := b.tracer.Start(context.Background(), k.path, options...)
	if known || len(b.before) < b.max {
		b.before[k.path] = span.SpanContext()
	}
	return span
}

// note writes what happened during a run, or to its supervisor because of it.
func (b *book) note(k key, e supervisor.Event) {
	r, ok := b.open[k]
	if !ok {
		return
	}
	options := []trace.EventOption{trace.WithTimestamp(e.Time)}
	if e.Reason != 0 {
		options = append(options, trace.WithAttributes(attribute.String("coppice.cause", e.Reason.String())))
	}
	r.span.AddEvent(e.Kind.String(), options...)
}

// exit ends the span of a run. One whose start was not seen is made for it.
func (b *book) exit(k key, e supervisor.Event) {
	r, ok := b.open[k]
	span := r.span
	if !ok {
		span = b.span(k, e.Time)
		span.SetAttributes(attribute.Bool("coppice.incomplete", true))
	}
	delete(b.open, k)
	span.SetAttributes(
		attribute.String("coppice.exit", e.Exit.Kind.String()),
		attribute.String("coppice.next", e.Next.String()),
		attribute.Int64("coppice.restarts", int64(e.Restarts)),
	)
	if e.Exit.Reason != 0 {
		span.SetAttributes(attribute.String("coppice.cause", e.Exit.Reason.String()))
	}
	if e.Exit.Abnormal() {
		span.SetStatus(codes.Error, e.Exit.String())
	}
	if e.Next == supervisor.Restarts && e.Wait > 0 {
		span.AddEvent("restart_delayed", trace.WithTimestamp(e.Time),
			trace.WithAttributes(attribute.Float64("coppice.wait_seconds", e.Wait.Seconds())))
	}
	span.End(trace.WithTimestamp(e.Time))
	if e.Next == supervisor.Goes {
		delete(b.before, k.path)
	}
}

// reconcile ends what had begun before the snapshot and does not run in it.
func (b *book) reconcile() {
	snap := b.check.snap
	b.check = nil
	runs, places := map[key]bool{}, map[string]bool{}
	for s := range snap.Root.All() {
		places[s.Path] = true
		if s.State != supervisor.Down && s.State != supervisor.Restarting {
			runs[key{s.Path, s.Incarnation}] = true
		}
	}
	for k, r := range b.open {
		if r.begun <= snap.Seq && !runs[k] {
			b.drop(k, snap.Time)
		}
	}
	for path := range b.before {
		if !places[path] {
			delete(b.before, path)
		}
	}
}

// drop ends a span whose run is over, or out of sight, without an exit.
func (b *book) drop(k key, at time.Time) {
	if r, ok := b.open[k]; ok {
		delete(b.open, k)
		r.span.SetAttributes(attribute.Bool("coppice.incomplete", true))
		r.span.End(trace.WithTimestamp(at))
	}
}

// close ends what is open.
func (b *book) close() {
	for k := range b.open {
		b.drop(k, time.Now())
	}
}
