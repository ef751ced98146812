package main

import (
	"context"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child/isolated"
	"github.com/coppice-go/coppice/supervisor"
)

func TestMain(m *testing.M) {
	isolated.Main()
	os.Exit(m.Run())
}

func TestEachFaultIsToldAndTheWorkIsDone(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the limit of memory needs Linux")
	}
	if raceEnabled {
		t.Skip("the race detector needs more memory than the limit")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var out strings.Builder
	p := &printer{out: &out, began: time.Now()}
	sup, err := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}.Start(ctx, tree(p))
	if err != nil {
		t.Fatal(err)
	}
	exited := map[string]supervisor.Event{}
	for e := range sup.Events(ctx, 0) {
		p.event(e)
		if _, known := exited[e.Path]; e.Kind == supervisor.ChildExited && !known {
			exited[e.Path] = e
		}
		if len(exited) == 4 {
			break
		}
	}
	if err := sup.Stop(ctx); err != nil {
		t.Error(err)
	}
	for path, want := range map[string]string{
		"isolated/leaker": "limit", "isolated/exiter": "3", "isolated/spinner": "ping",
	} {
		if e := exited[path]; !strings.Contains(e.Exit.String(), want) || e.Next != supervisor.Restarts {
			t.Errorf("%s: %q, %s; want %q and a restart", path, e.Exit, e.Next, want)
		}
	}
	if e := exited["isolated/counter"]; e.Exit.String() != "normal" || e.Next != supervisor.Stays {
		t.Errorf("the counter: %s, %s", e.Exit, e.Next)
	}
	if want := "found 148933 primes below 2000000"; !strings.Contains(out.String(), want) {
		t.Errorf("the output has no %q", want)
	}
	t.Log("\n" + out.String())
}
