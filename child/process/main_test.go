//go:build unix

package process_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
)

// roleVariable makes the test binary one of the programs in roles.
const roleVariable = "PROCESS_TEST_ROLE"

// roles are what the test binary can be instead of a test. Each file of tests
// adds its own.
var roles = map[string]func(args []string){}

// addRole adds one.
func addRole(name string, play func(args []string)) string {
	roles[name] = play
	return name
}

func TestMain(m *testing.M) {
	if play := roles[os.Getenv(roleVariable)]; play != nil {
		_ = os.Unsetenv(roleVariable) // its own children are what they are
		play(os.Args[1:])
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// playing is the environment of a program that plays a role. The race detector
// would make each of its ends a second longer.
func playing(name string) []string {
	return append(os.Environ(), roleVariable+"="+name, "GORACE=atexit_sleep_ms=0")
}

// player is the test binary in a role, started by way of the words before it,
// as by unshare.
func player(t *testing.T, before []string, name string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	words := append(append(before, self), args...)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Env = playing(name)
	cmd.WaitDelay = time.Second
	return cmd
}

// play plays a role to its end, which must be good, and returns what it said.
func play(t *testing.T, before []string, name string, args ...string) string {
	t.Helper()
	out, err := player(t, before, name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return strings.TrimSpace(string(out))
}

// orExit ends a role that cannot be played.
func orExit(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// needTools skips a test whose tools the machine has not.
func needTools(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("it needs ", tool, ": ", err)
		}
	}
}

// within fails the test unless f returns in time.
func within(t *testing.T, limit time.Duration, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(limit):
		t.Fatalf("%s takes longer than %v", what, limit)
	}
}

// comesTrue waits until a real process has done something.
func comesTrue(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it never happens: ", what)
		}
	}
}

// A running is a command that runs as a supervisor would run it, with a grace
// that ends when the test says so.
type running struct {
	*process.Handle
	t       *testing.T
	stop    context.CancelFunc // asks it to end
	kill    func()             // ends the grace
	log     *lines             // of the run
	done    chan struct{}
	outcome error // of Serve; written before done is closed
	killed  chan struct{}
	offered chan *process.Handle
	ready   chan struct{}
}

// serving starts c and returns when it executes.
func serving(t *testing.T, c process.Command) *running {
	t.Helper()
	r := &running{
		t: t, log: new(lines), done: make(chan struct{}),
		killed: make(chan struct{}), offered: make(chan *process.Handle, 1), ready: make(chan struct{}, 1),
	}
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), child.RuntimeKey{}, r))
	r.stop, r.kill = cancel, sync.OnceFunc(func() { close(r.killed) })
	go func() {
		defer close(r.done)
		r.outcome = c.Serve(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		r.kill()
		_ = r.end()
	})
	select {
	case r.Handle = <-r.offered:
	case <-r.done:
		t.Fatal("it did not start: ", r.outcome)
	}
	return r
}

// end waits for the end of the run and returns what Serve did.
func (r *running) end() error {
	r.t.Helper()
	within(r.t, 30*time.Second, "the end of the run", func() { <-r.done })
	return r.outcome
}

// ended is a shorthand for a stop that is obeyed, or not.
func (r *running) ended() error {
	r.t.Helper()
	r.stop()
	return r.end()
}

func (r *running) Ready() {
	select {
	case r.ready <- struct{}{}:
	default:
	}
}

func (r *running) Killed() <-chan struct{} { return r.killed }
func (r *running) Path() string            { return "test" }
func (r *running) Incarnation() uint64     { return 1 }
func (r *running) Redact(s string) string  { return child.HideSecrets(s) }

func (r *running) Logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (r *running) Publish(v any) {
	if h, ok := v.(*process.Handle); ok {
		r.offered <- h
	}
}

// arrives waits for what a program has printed: on a busy machine the last
// lines are delivered after the run.
func arrives(t *testing.T, out *lines, want string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); out.String() != want; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d bytes of %d arrive, or others", len(out.String()), len(want))
		}
	}
}
