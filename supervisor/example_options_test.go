package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
)

// timeless is a handler that prints what does not differ from run to run.
func timeless() slog.Handler {
	return slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		Level: slog.LevelWarn,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			switch a.Key {
			case slog.TimeKey, "lived", "duration":
				return slog.Attr{}
			}
			return a
		},
	})
}

// The logger gets one line for each change: here those of warnings.
func ExampleOptions() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	options := supervisor.Options{Logger: slog.New(timeless())}
	err := options.Run(ctx, supervisor.Spec{
		Name:    "shop",
		Backoff: immediately,
		Children: []child.Specer{child.Spec{Name: "reader", Run: child.Func(func(ctx context.Context) error {
			if child.Incarnation(ctx) == 1 {
				return errors.New("connection lost")
			}
			cancel()
			return idle(ctx)
		})}},
	})
	fmt.Println(err)
	// Output:
	// level=WARN msg="child exited" path=shop/reader incarnation=1 cause=error exit="error: connection lost" next=restarts attempt=1
	// <nil>
}

// Run with options of one's own. Without a logger of its own the tree would use
// slog.Default.
func ExampleOptions_Run() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	options := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}
	fmt.Println(options.Run(ctx, shop()))
	// Output:
	// <nil>
}

// Start with options: here a rule for what is secret in what children print.
func ExampleOptions_Start() {
	lines := make(chan string)
	options := supervisor.Options{
		Redact: func(s string) string { return strings.ReplaceAll(s, "sesame", "***") },
	}
	sup, err := options.Start(context.Background(), supervisor.Spec{
		Name: "shop",
		Children: []child.Specer{child.Spec{Name: "web", Run: child.Func(func(ctx context.Context) error {
			lines <- child.Redact(ctx, "open sesame")
			return idle(ctx)
		})}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(<-lines)
	fmt.Println(sup.Stop(context.Background()))
	// Output:
	// open ***
	// <nil>
}

// Options are checked along with the spec.
func ExampleOptions_New() {
	_, err := supervisor.Options{Panics: 7}.New(shop())
	fmt.Println(err)
	// Output:
	// supervisor: invalid spec: Options: Panics: Panics(7): is none of the constants
}

// A panic is an exit with its stack, and the child is restarted. With Crash it
// would end the program.
func ExamplePanics() {
	ctx := context.Background()
	sup, err := supervisor.Options{Panics: supervisor.Recover}.Start(ctx, supervisor.Spec{
		Name:    "shop",
		Backoff: immediately,
		Children: []child.Specer{child.Spec{Name: "reader", Run: child.Func(func(ctx context.Context) error {
			if child.Incarnation(ctx) == 1 {
				panic("no such column")
			}
			return idle(ctx)
		})}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for e := range sup.Events(ctx, 0) {
		if e.Kind == supervisor.ChildExited {
			var panicked *child.PanicError
			fmt.Println(e, errors.As(e.Exit, &panicked) && strings.Contains(panicked.Stack(), "ExamplePanics"))
			break
		}
	}
	fmt.Println(sup.Stop(ctx))
	// Output:
	// shop/reader exited #1: panic: no such column, restarts true
	// <nil>
}
