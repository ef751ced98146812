package supervisor_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
)

// A call that cannot be meant as it stands says what was mistaken for what.
func TestTheErrorOfACallSaysWhatWasMistaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		sup := start(t, one("w", idle))
		tests := map[string]struct {
			call func() error
			is   error
			want string
		}{
			"a path without the root": {
				func() error { return sup.Find("w").Bounce(ctx) }, supervisor.ErrNotFound,
				"supervisor: bounce w: no child of that name: a path begins with the root's name, as in root/child",
			},
			"a path through a worker": {
				func() error { return sup.Find("root/w/x").Bounce(ctx) }, supervisor.ErrNotSupervisor,
				"supervisor: bounce root/w/x: no supervisor is at that path: root/w is a worker",
			},
			"a child of a worker": {
				func() error {
					_, err := sup.Find("root/w").StartChild(ctx, child.Spec{Name: "x", Run: child.Func(idle)})
					return err
				}, supervisor.ErrNotSupervisor,
				"supervisor: start_child root/w: no supervisor is at that path: root/w is a worker",
			},
			"a service in the place of a spec": {
				func() error { _, err := sup.Ref().StartChild(ctx, child.Func(idle)); return err }, nil,
				"supervisor: start_child root: a child.Func is no child.Specer, which a child.Spec and a supervisor.Spec are",
			},
			"a place in no tree": {
				func() error { return supervisor.Ref{}.Bounce(ctx) }, supervisor.ErrNoTree,
				"supervisor: bounce: it belongs to no tree",
			},
			"something that nobody publishes": {
				func() error {
					short, cancel := context.WithTimeout(ctx, time.Second)
					defer cancel()
					_, err := supervisor.Get[error](short, sup.Find("root/w"))
					return err
				}, context.DeadlineExceeded,
				"supervisor: get root/w: no error is published: context deadline exceeded",
			},
		}
		for name, tt := range tests {
			err := tt.call()
			if err == nil || err.Error() != tt.want || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("%s: got %v, want %s", name, err, tt.want)
			}
		}
		stop(t, sup)
	})
}

func TestTheErrorOfAStopSaysWhatStillRuns(t *testing.T) {
	err := &supervisor.StopError{Path: "root", Blocked: []supervisor.Blocked{
		{Path: "root/a", Since: 2 * time.Second}, {Path: "root/b", Since: time.Second},
	}}
	if want := "supervisor: root stopped, but still running: root/a (told 2s ago), root/b (told 1s ago)"; err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
