package supervisor_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// What an operator reads in the morning: the log of a tree whose database was
// away, whose parser has a bug, whose cache grew too large, and which did not
// stop in time. Keys are the same in all lines.
func TestALogOfABadNightReadsWell(t *testing.T) {
	want, err := os.ReadFile("testdata/night.txt")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer // written by the tree's logger until the tree has ended
	synctest.Test(t, func(t *testing.T) {
		options := supervisor.Options{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: nightly}))}
		sup, err := options.Start(t.Context(), night())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		if err := sup.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if log.String() != string(want) {
		t.Errorf("the log is not that of testdata/night.txt:\n%s", log.String())
	}
}

// nightly leaves of a line what is the same every night.
func nightly(groups []string, a slog.Attr) slog.Attr {
	switch {
	case len(groups) > 0:
	case a.Key == slog.TimeKey:
		return slog.String(a.Key, a.Value.Time().UTC().Format("15:04:05"))
	case a.Key == "stack":
		return slog.String(a.Key, "...")
	}
	return a
}

func night() supervisor.Spec {
	killed := &child.StatusError{Signal: syscall.SIGKILL, OOM: true}
	return supervisor.Spec{Name: "shop", Children: []child.Specer{
		child.Spec{Name: "cache", Run: lives(time.Minute, killed)},
		child.Spec{Name: "config", Run: lives(2*time.Minute, &child.StatusError{Code: 3})},
		child.Spec{Name: "database", Run: connects(8)},
		supervisor.Spec{Name: "ingest", Strategy: strategies.OneForAll, Children: []child.Specer{
			child.Spec{Name: "reader", Run: child.Func(idle)},
			child.Spec{Name: "parser", Run: panicsUntil(4)},
		}},
		child.Spec{Name: "mail", Run: child.Func(deaf)},
	}}
}

// lives is a service whose first run ends with err after a while.
func lives(after time.Duration, err error) child.Func {
	return func(ctx context.Context) error {
		if child.Incarnation(ctx) > 1 {
			return idle(ctx)
		}
		time.Sleep(after)
		return err
	}
}

// connects is a service that fails at once until the given run.
func connects(run uint64) child.Func {
	return func(ctx context.Context) error {
		if child.Incarnation(ctx) < run {
			return errors.New("connection refused")
		}
		return idle(ctx)
	}
}

// panicsUntil is a service that panics two seconds after its start, until the
// given run is over: too often for its supervisor.
func panicsUntil(run uint64) child.Func {
	return func(ctx context.Context) error {
		if child.Incarnation(ctx) > run {
			return idle(ctx)
		}
		time.Sleep(2 * time.Second)
		panic("index out of range")
	}
}

// deaf hears no stop, only that its grace is over.
func deaf(ctx context.Context) error {
	<-child.Killed(ctx)
	return ctx.Err()
}
