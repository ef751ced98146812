package probe_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/probe"
)

func TestAProgramIsWellWhenItEndsWithTheCode0(t *testing.T) {
	t.Parallel()
	inherits := script(t, `[ "$1" = a ] && [ "$A" = b ] && [ "$PWD" = / ] && [ -z "$HOME" ] && ! read line`, "a")
	inherits.Env, inherits.CleanEnv, inherits.Dir = []string{"A=b", "PATH=/usr/bin:/bin"}, true, "/"
	for name, tt := range map[string]struct {
		probe probe.Exec
		want  string // of the error, or none
	}{
		"the code 0":                          {script(t, "echo all is well; exit 0"), ""},
		"the code 1":                          {script(t, "exit 1"), "exec sh: exit code 1"},
		"the code 1 and a reason":             {script(t, "echo no; echo disk >&2; exit 1"), "exec sh: exit code 1: no / disk"},
		"a signal":                            {script(t, "kill -KILL $$"), "killed"},
		"one that tells itself to terminate":  {script(t, "kill -TERM $$"), "term"},
		"no program":                          {probe.Exec{Path: "/no/such/program"}, "exec program: "},
		"arguments, environment and so on":    {inherits, ""},
		"much output is cut at its beginning": {script(t, "i=0; while [ $i -lt 99 ]; do i=$((i+1)); echo line $i; done; exit 1"), "line 98 / line 99"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := ask(t, ample, tt.probe.Ping); tt.want != "" {
				wantError(t, err, tt.want)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("the status is there to be looked at", func(t *testing.T) {
		t.Parallel()
		var status *child.StatusError
		if err := ask(t, ample, script(t, "exit 7").Ping); !errors.As(err, &status) || status.Code != 7 {
			t.Errorf("got %v", err)
		}
	})
	t.Run("what it said before it was killed is told", func(t *testing.T) {
		t.Parallel()
		wantError(t, ask(t, 10*short, script(t, "echo waiting for the lock; sleep 1000").Ping), "killed, because it did not end in time: waiting for the lock")
	})
}

// run is a run that counts what is done in its name.
type run struct{ spoken atomic.Int64 }

func (r *run) Ready()                { r.spoken.Add(1) }
func (r *run) Publish(any)           { r.spoken.Add(1) }
func (*run) Killed() <-chan struct{} { return nil }
func (*run) Path() string            { return "shop/cache" }
func (*run) Incarnation() uint64     { return 3 }
func (*run) Logger() *slog.Logger    { return slog.New(slog.DiscardHandler) }
func (*run) Redact(s string) string  { return strings.ReplaceAll(s, "cat", "dog") }

func TestAProgramDoesNotSpeakForTheRun(t *testing.T) {
	t.Parallel()
	r := &run{}
	ctx := context.WithValue(t.Context(), child.RuntimeKey{}, r)
	err := askWith(ctx, t, script(t, "echo the cat is out; exit 1").Ping)
	wantError(t, err, "the dog is out")
	if n := r.spoken.Load(); n != 0 {
		t.Errorf("the run was made ready, or published something, %d times", n)
	}
}
