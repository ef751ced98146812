// Webstack supervises a web service as one tree: a real redis, a worker in Go
// that counts in it, and a real nginx before the worker. While a client loads
// it, the parts are killed one after the other. It tells how long each took to
// be back, how many requests failed meanwhile, and whether any answer was
// wrong; one that was makes it fail.
//
//	go run ./examples/webstack              # about 6 s
//	go run ./examples/webstack -load 10s    # that long between two kills
//
// It needs neither root nor a configuration of the system: all that the
// programs write is in a directory for the time, and their ports are free ones.
// A program that is not installed is left out, and it says how to install it.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/supervisor"
)

func main() {
	load := flag.Duration("load", 1500*time.Millisecond, "how long the client has before each kill and after the last")
	flag.Parse()
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, restore) // a second ^C ends this program at once
	err := run(ctx, os.Stdout, installed(os.Stdout), *load)
	if err != nil {
		fmt.Fprintln(os.Stderr, "webstack:", err)
	}
	os.Exit(supervisor.ExitStatus(err))
}

func run(ctx context.Context, out io.Writer, have programs, load time.Duration) (err error) {
	dir, err := os.MkdirTemp("", "webstack")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := newStack(dir, have)
	if err != nil {
		return err
	}
	// A program of yours would leave the logger as it is.
	quiet := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}
	began := time.Now()
	sup, err := quiet.Start(ctx, s.tree())
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%-7s all ready after %v: %s\n", "", since(began), s.url)
	defer func() {
		err = errors.Join(err, sup.Stop(context.Background()))
		fmt.Fprintln(out, "all stopped, the last started first")
	}()

	c := newClient(s.url)
	defer c.stop()
	for _, part := range s.parts {
		if err := wait(ctx, load); err != nil {
			return err
		}
		if err := killed(ctx, out, sup, c, part.Name, s.last()); err != nil {
			return err
		}
	}
	if err := wait(ctx, load); err != nil {
		return err
	}
	t := c.stop()
	fmt.Fprintf(out, "the client: %d right answers, %d failed requests, %d wrong answers\n", t.right, t.failed, t.wrong)
	return t.err
}

// killed kills a part and tells how long it took until all of the tree was
// ready again, and the client had an answer to a question asked after that.
func killed(ctx context.Context, out io.Writer, sup *supervisor.Supervisor, c *client, part, last string) error {
	before, failed := sup.Snapshot(), c.tally().failed
	began := time.Now()
	if err := kill(ctx, sup.Ref().Child(part)); err != nil {
		return fmt.Errorf("kill %s: %w", part, err)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var again []string
	for e := range sup.Events(ctx, before.Seq) {
		if e.Kind != supervisor.ChildStarted {
			continue
		}
		child := strings.TrimPrefix(e.Path, name+"/")
		again = append(again, fmt.Sprintf("%s after %v", child, e.Time.Sub(began).Round(time.Millisecond)))
		if child == last {
			break
		}
	}
	select {
	case <-sup.Done():
		return fmt.Errorf("%s was killed: %w", part, cmp.Or(sup.Wait(), errors.New("the tree has stopped")))
	default:
	}
	if err := c.answered(ctx); err != nil {
		return fmt.Errorf("no right answer after %s was killed, ready again are %q: %w", part, again, err)
	}
	fmt.Fprintf(out, "%-7s killed, ready again: %s, right answers after %v; %d requests failed\n",
		part, strings.Join(again, ", "), since(began), c.tally().failed-failed)
	return nil
}

// kill ends the run that lives at ref as nobody could foresee: a program by
// SIGKILL, the worker by a panic.
func kill(ctx context.Context, ref supervisor.Ref) error {
	if ref.Path() == name+"/"+worker {
		bomb, err := supervisor.Get[bomb](ctx, ref)
		if err == nil {
			close(bomb)
		}
		return err
	}
	h, err := supervisor.Get[*process.Handle](ctx, ref)
	if err != nil {
		return err
	}
	return h.Signal(process.Leader, syscall.SIGKILL)
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func since(t time.Time) time.Duration { return time.Since(t).Round(time.Millisecond) }
