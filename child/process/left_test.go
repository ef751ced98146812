//go:build linux

package process_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child/process"
)

// Whatever a command asks for, a run gives everything back.
func TestNothingIsLeftWhateverTheCommand(t *testing.T) {
	quick := func(change func(*process.Command)) process.Command {
		c := process.Command{Path: "sh", Args: []string{"-c", "echo out; echo err >&2; exit 1"}}
		change(&c)
		return c
	}
	for name, c := range map[string]process.Command{
		"nothing":               quick(func(*process.Command) {}),
		"a piped input":         quick(func(c *process.Command) { c.Stdin.From = process.Piped }),
		"streams":               quick(func(c *process.Command) { c.Streams = []process.Stream{{Name: "a"}, {Name: "b"}} }),
		"leftovers left":        quick(func(c *process.Command) { c.Leftovers = process.LeaveThem }),
		"leftovers stopped":     quick(func(c *process.Command) { c.Leftovers = process.StopThem }),
		"our terminal":          quick(func(c *process.Command) { c.Containment.Terminal = true }),
		"one pipe":              quick(func(c *process.Command) { c.Stdout.Label, c.Stderr.Label = "both", "both" }),
		"a queue":               quick(func(c *process.Command) { c.Stdout.Drop = true }),
		"a rate":                quick(func(c *process.Command) { c.Stdout.Rate = 1 }),
		"its output kept":       quick(func(c *process.Command) { c.Stdout.To, c.Stderr.To = process.Keep, process.Keep }),
		"its output dropped":    quick(func(c *process.Command) { c.Stdout.To, c.Stderr.To = process.Discard, process.Discard }),
		"to live on":            quick(func(c *process.Command) { c.Orphan = process.LiveOn }),
		"hooks":                 quick(func(c *process.Command) { c.Before, c.After = hook, hook }),
		"a ladder":              quick(func(c *process.Command) { c.Stop = process.Interrupt() }),
		"what is not a program": quick(func(c *process.Command) { c.Path = "/no/such" }),
	} {
		t.Run(name, func(t *testing.T) {
			rounds := func(n int) {
				for range n {
					_ = c.Serve(t.Context())
				}
				for range n / 4 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
					_ = c.Serve(ctx)
					cancel()
				}
			}
			rounds(4)
			files, routines, below := len(descriptors()), runtime.NumGoroutine(), len(offspring(t))
			rounds(20)
			comesTrue(t, "everything is given back", func() bool {
				return len(descriptors()) <= files && runtime.NumGoroutine() <= routines && len(offspring(t)) <= below
			})
		})
	}
}

func hook(context.Context, *process.Handle) error { return nil }
