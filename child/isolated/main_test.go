//go:build unix

package isolated_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/thejerf/suture/v4"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/isolated"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/supervisor"
)

// The variables by which the test binary is another program.
const (
	forget = "ISOLATED_TEST_FORGET" // it has no hook
	counts = "ISOLATED_TEST_COUNT"  // the file to which each program adds a line
	plays  = "ISOLATED_TEST_PLAYS"  // what it does instead of tests
	other  = "ISOLATED_TEST_OTHER"  // it has other functions
)

func TestMain(m *testing.M) {
	count()
	if os.Getenv(plays) == "mute" {
		playMute()
	}
	if os.Getenv(forget) == "" {
		isolated.Main()
	}
	switch os.Getenv(plays) {
	case "":
		_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // or each copy takes a second to end
		os.Exit(m.Run())
	case "parent":
		playParent()
	case "bomb":
		playBomb()
	case "replaced":
		playReplaced()
	case "sleep":
		time.Sleep(time.Hour)
	case "end":
	}
}

// count notes that this program was started.
func count() {
	name := os.Getenv(counts)
	if name == "" {
		return
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = fmt.Fprintln(f, os.Getpid())
		_ = f.Close()
	}
	if err != nil {
		panic(err)
	}
}

type (
	question struct {
		Text  string
		Times int
		Ask   map[string][]float64
	}
	answer struct {
		Text string
		Any  any
		PID  int
	}
	none struct{}
)

var (
	echo = isolated.Register("echo", func(_ context.Context, q question) (answer, error) {
		return answer{Text: strings.Repeat(q.Text, q.Times), Any: q, PID: os.Getpid()}, nil
	})
	fail = isolated.Register("fail", func(ctx context.Context, how string) (int, error) {
		switch how {
		case "never":
			return 0, fmt.Errorf("enough: %w", suture.ErrDoNotRestart)
		case "tree":
			return 0, suture.ErrTerminateSupervisorTree
		case "goexit":
			goexit()
		case "cancelled":
			return 0, context.Canceled
		}
		return 0, errors.New(how)
	})
	crash = isolated.Register("crash", func(ctx context.Context, how string) (none, error) {
		die(how)
		<-ctx.Done()
		return none{}, ctx.Err()
	})
	waiter = isolated.Register("wait", func(ctx context.Context, say string) (string, error) {
		fmt.Println(say)
		<-ctx.Done()
		return child.StopReason(ctx).String() + ": " + context.Cause(ctx).Error(), nil
	})
	linger = isolated.Register("linger", func(ctx context.Context, last string) (none, error) {
		fmt.Println("lingering")
		<-child.Killed(ctx)
		fmt.Println(last)
		select {}
	})
	spin = isolated.Register("spin", func(ctx context.Context, beats int) (none, error) {
		var mu sync.Mutex
		isolated.Answer(ctx, func(context.Context) error {
			mu.Lock()
			defer mu.Unlock()
			return nil
		})
		for range beats {
			child.Beat(ctx)
			time.Sleep(10 * time.Millisecond)
		}
		mu.Lock()
		defer mu.Unlock()
		for n := 0; ; n++ { // it never ends, and asks nobody
			sink = n
		}
	})
	announce = isolated.Register("announce", func(ctx context.Context, after time.Duration) (none, error) {
		time.Sleep(after)
		fmt.Println("announced")
		child.Ready(ctx)
		<-ctx.Done()
		return none{}, nil
	})
	chat = isolated.Register("chat", func(ctx context.Context, _ none) (none, error) {
		child.Logger(ctx).With("a", 1).WithGroup("g").Info("first", "d", time.Second, "secret", "token=hush", "nasty", "a\nb")
		slog.Debug("unheard")
		slog.Warn("second", "err", errors.New("oh"), "list", []int{1, 2})
		fmt.Println("to the output")
		fmt.Fprintln(os.Stderr, "to the error output")
		child.Publish(ctx, child.Facts{Status: "well\x1b[31m"})
		<-ctx.Done()
		return none{}, nil
	})
	shell = isolated.Register("look", func(_ context.Context, script string) (string, error) {
		out, err := exec.Command("sh", "-c", script).CombinedOutput()
		return string(out), err
	})
	copies = isolated.Register("copies", func(ctx context.Context, depth int) (int, error) {
		if depth == 0 {
			return os.Getpid(), nil
		}
		return again(ctx, depth-1)
	})
	again  func(context.Context, int) (int, error)
	later  *isolated.Function[int, int]
	sink   int
	garble = isolated.Register("garble", func(_ context.Context, what []byte) (none, error) {
		for fd := range 32 {
			var stat syscall.Stat_t
			if syscall.Fstat(fd, &stat) == nil && stat.Mode&syscall.S_IFMT == syscall.S_IFSOCK {
				_, _ = syscall.Write(fd, what)
			}
		}
		time.Sleep(time.Hour)
		return none{}, nil
	})
	whoAmI  = isolated.Register("who", func(context.Context, none) ([]int, error) { return []int{os.Getuid(), os.Getgid()}, nil })
	limits  = isolated.Register("limits", func(context.Context, none) (map[string]string, error) { return ownLimits(), nil })
	leaking = isolated.Register("leak", func(context.Context, int) (none, error) { leak(1 << 30); return none{}, nil })
)

func init() {
	again = copies.Call
	if os.Getenv(other) == "" {
		later = isolated.Register("later", func(context.Context, int) (int, error) { return 1, nil })
	} else {
		isolated.Register("later", func(context.Context, string) (int, error) { return 1, nil })
	}
}

func goexit() { runtime.Goexit() }

// die ends the program in one of many ways.
func die(how string) {
	switch how {
	case "panic":
		panic(errors.New("ouch: the function"))
	case "goroutine":
		go inGoroutine()
	case "fault":
		go func() { *nowhere = 1 }()
	case "fatal":
		go func() { new(sync.Mutex).Unlock() }()
	case "exit":
		os.Exit(3)
	case "silent":
		os.Exit(0)
	case "kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	time.Sleep(time.Hour)
}

func inGoroutine() { panic("ouch: a goroutine") }

var (
	leaked  [][]byte
	nowhere *int
)

// leak takes so much memory and keeps it.
func leak(bytes int) {
	for range bytes >> 20 {
		b := make([]byte, 1<<20)
		for i := range b {
			b[i] = byte(i)
		}
		leaked = append(leaked, b)
	}
}

// text collects what is written, for any number of goroutines.
type text struct {
	mu sync.Mutex
	b  strings.Builder
}

var _ io.Writer = (*text)(nil)

func (t *text) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(b)
}

func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

// await waits until something is so, or fails.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 2000 {
		if is() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("it did not come to pass: %s", what)
}

// quiet is what does not clutter the output of a test.
var quiet = supervisor.Options{Logger: slog.New(slog.DiscardHandler)}

// tree starts a supervisor of one child, and stops it with the test.
func tree(t *testing.T, options supervisor.Options, s child.Spec) *supervisor.Supervisor {
	t.Helper()
	s.Name = "worker"
	sup, err := options.Start(t.Context(), supervisor.Spec{Name: "root", Children: []child.Specer{s}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sup.Stop(context.Background()) })
	return sup
}

// exits are the ends of runs that sup told of, until there are n of them.
func exits(t *testing.T, sup *supervisor.Supervisor, n int) (all []child.Exit) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for e := range sup.Events(ctx, 0) {
		if e.Kind == supervisor.ChildExited {
			if all = append(all, e.Exit); len(all) == n {
				return all
			}
		}
	}
	t.Fatalf("%d exits, want %d: %v", len(all), n, all)
	return nil
}

// discard keeps what a copy prints from the log.
var discard = process.Command{Stdout: process.Output{To: process.Keep}, Stderr: process.Output{To: process.Keep}}
