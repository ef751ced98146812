package child_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/coppice-go/coppice/child"
)

// recorder is a Runtime that writes down what it is asked.
type recorder struct {
	calls  []string
	killed chan struct{}
	log    bytes.Buffer
}

func (r *recorder) Ready()                  { r.calls = append(r.calls, "ready") }
func (r *recorder) Killed() <-chan struct{} { return r.killed }
func (r *recorder) Path() string            { return "shop/ingest/writer" }
func (r *recorder) Incarnation() uint64     { return 7 }
func (r *recorder) Logger() *slog.Logger    { return slog.New(slog.NewTextHandler(&r.log, nil)) }
func (r *recorder) Publish(v any)           { r.calls = append(r.calls, fmt.Sprint(v)) }
func (r *recorder) Redact(s string) string  { return strings.ToUpper(s) }

func TestWithoutARunInTheContextNothingHappens(t *testing.T) {
	t.Parallel()
	for name, ctx := range map[string]context.Context{
		"an empty context":          t.Context(),
		"a context with no run":     context.WithValue(t.Context(), child.RuntimeKey{}, nil),
		"something else in a run's": context.WithValue(t.Context(), child.RuntimeKey{}, "a run"),
	} {
		child.Ready(ctx)
		child.Publish(ctx, 1)
		if child.FromContext(ctx) != nil {
			t.Errorf("%s has a run", name)
		}
		if killed := child.Killed(ctx); killed != nil {
			t.Errorf("%s may be killed", name)
		}
		if path, n := child.Path(ctx), child.Incarnation(ctx); path != "" || n != 0 {
			t.Errorf("%s is at %q, number %d", name, path, n)
		}
		if logger := child.Logger(ctx); logger == nil || logger.Enabled(ctx, slog.LevelError) {
			t.Errorf("%s logs", name)
		}
		if got := child.Redact(ctx, "token=abc"); got != "token=***" {
			t.Errorf("%s redacts to %q", name, got)
		}
	}
}

func TestWithARunInTheContextItIsAsked(t *testing.T) {
	t.Parallel()
	r := &recorder{killed: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), child.RuntimeKey{}, r))
	defer cancel()
	child.Ready(ctx)
	child.Publish(ctx, "an offer")
	child.Logger(ctx).Info("hello")
	if want := []string{"ready", "an offer"}; !slices.Equal(r.calls, want) {
		t.Errorf("got %q, want %q", r.calls, want)
	}
	if !strings.Contains(r.log.String(), "hello") {
		t.Error("it does not log")
	}
	if child.Path(ctx) != r.Path() || child.Incarnation(ctx) != 7 || child.Redact(ctx, "a") != "A" || child.Killed(ctx) == nil {
		t.Error("it says something else than its run")
	}
	if child.FromContext(ctx) != child.Runtime(r) {
		t.Error("it is another run")
	}
}
