package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// tree is data: nothing of it runs before it is started.
func tree() supervisor.Spec {
	pids := make(pidWriter, 1)
	return supervisor.Spec{
		Name: "demo",
		Children: []child.Specer{
			// A program that somebody kills, and the somebody.
			child.Spec{Name: "sleeper", Run: shell("echo $$; exec sleep 1000", process.Output{Writer: pids})},
			child.Spec{Name: "killer", Run: child.Func(pids.kill), Restart: child.Transient},
			// Goroutines: one that works, one that panics, one that fails at once.
			child.Spec{Name: "worker", Run: child.Func(work)},
			child.Spec{Name: "panicker", Run: child.Func(panics)},
			child.Spec{Name: "flapper", Run: child.Func(flap)},
			// The two need each other: if one fails, both are started anew.
			supervisor.Spec{
				Name: "pair", Strategy: strategies.OneForAll,
				Children: []child.Specer{
					child.Spec{Name: "server", Run: shell("while :; do sleep 1; done", process.Output{To: process.Discard})},
					child.Spec{Name: "client", Run: child.Func(fails(6*time.Second, errors.New("the server gave a wrong answer")))},
				},
			},
			// A job that ends well is not started again, and one that does not is.
			supervisor.Spec{
				Name: "jobs",
				Children: []child.Specer{
					child.Spec{Name: "once", Run: shell("sleep 2", process.Output{}), Restart: child.Temporary},
					child.Spec{Name: "exit3", Run: shell("sleep 4; exit 3", process.Output{}), Restart: child.Transient},
				},
			},
		},
	}
}

func shell(script string, out process.Output) process.Command {
	return process.Command{Path: "sh", Args: []string{"-c", script}, Stdout: out}
}

// work works until it is told to stop.
func work(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// panics has a bug that shows after a while. A run of that length is no short
// one, so the restart comes at once.
func panics(ctx context.Context) error {
	select {
	case <-time.After(4 * time.Second):
	case <-ctx.Done():
		return nil
	}
	panic("the cache is inconsistent")
}

// flap fails at once, each time, so that its delay doubles.
func flap(context.Context) error { return errors.New("the database is not there") }

// fails is a service that fails after a while.
func fails(after time.Duration, err error) func(context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-time.After(after):
			return err
		case <-ctx.Done():
			return nil
		}
	}
}

// pidWriter takes what the sleeper prints: its process number.
type pidWriter chan string

func (w pidWriter) Write(line []byte) (int, error) {
	select {
	case w <- string(bytes.TrimSpace(line)):
	default:
	}
	return len(line), nil
}

// kill kills the sleeper, once, from outside: with the kill program.
func (w pidWriter) kill(ctx context.Context) error {
	pid := <-w
	select {
	case <-time.After(3 * time.Second):
	case <-ctx.Done():
		return nil
	}
	if err := exec.CommandContext(ctx, "kill", "-KILL", pid).Run(); err != nil {
		return fmt.Errorf("kill %s: %w", pid, err)
	}
	return nil
}
