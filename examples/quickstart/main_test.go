package main

import (
	"bytes"
	"context"
	"log/slog"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/coppice-go/coppice/supervisor"
)

func TestTheTreeIsDrawnAndLeavesNothingBehind(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("the example needs a POSIX shell: ", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	sup, err := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}.Start(ctx, tree())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	p := newPrinter(&out)
	for e := range sup.Events(ctx, 0) {
		p.event(e)
		if e.Path == "demo/flapper" && e.Kind == supervisor.ChildExited {
			break
		}
	}
	p.tree(sup.Snapshot())
	if err := sup.Stop(ctx); err != nil {
		t.Error(err)
	}
	for _, want := range []string{
		"demo/sleeper       started\n", "demo/flapper       error: the database is not there -> again in 1s\n",
		"├─ sleeper               running", "└─ jobs                  running", "   └─ exit3              running",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output has no %q:\n%s", want, out.String())
		}
	}
	for s := range ptr(sup.Snapshot()).Root.All() {
		if s.State != supervisor.Down {
			t.Errorf("%s is %s after the stop", s.Path, s.State)
		}
	}
}

func ptr[T any](v T) *T { return &v }
