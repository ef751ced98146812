//go:build unix

package isolated_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/childtest"
	"github.com/coppice-go/coppice/child/isolated"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/supervisor"
)

func TestAStopEndsTheContextWithItsReason(t *testing.T) {
	said := make(chan string, 10)
	s := waiter.With("")
	s.Command = discard
	s.Result = func(_ context.Context, out string) { said <- out }
	sup := tree(t, quiet, child.Spec{Run: s})
	if err := sup.Find("root/worker").Bounce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := <-said; !strings.HasPrefix(got, "bounce: ") {
		t.Errorf("the function was told %q", got)
	}
	exit := exits(t, sup, 1)[0]
	if exit.Kind != child.Normal {
		t.Errorf("the exit is %v", exit)
	}
	if err := sup.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := <-said; !strings.HasPrefix(got, "shutdown: ") {
		t.Errorf("the function was told %q", got)
	}
}

func TestACopyHasTimeForLastWords(t *testing.T) {
	t.Parallel()
	var out text
	s := linger.With("farewell")
	s.Command.Stdout.Writer = &out
	sup := tree(t, quiet, child.Spec{Run: s, Shutdown: 500 * time.Millisecond})
	await(t, "it lingers", func() bool { return strings.Contains(out.String(), "lingering") })
	began := time.Now()
	if err := sup.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	if !strings.Contains(out.String(), "farewell") {
		t.Errorf("it said %q", out.String())
	}
	if took < 500*time.Millisecond+isolated.LastWords || took > 5*time.Second {
		t.Errorf("the stop took %v", took)
	}
	exit := exits(t, sup, 1)[0]
	if exit.Kind != child.KilledByUs || exit.Reason != child.ByShutdown {
		t.Errorf("the exit is %v", exit)
	}
}

func TestLogLinesArriveInTheLogOfTheRun(t *testing.T) {
	var log text
	s := chat.With(none{})
	s.Command = discard
	sup := tree(t, supervisor.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, child.Spec{Run: s})
	await(t, "the second line", func() bool { return strings.Contains(log.String(), "msg=second") })
	line := func(msg string) string {
		for l := range strings.Lines(log.String()) {
			if strings.Contains(l, "msg="+msg) {
				return l
			}
		}
		return ""
	}
	for _, want := range []string{"level=INFO", "path=root/worker", "a=1", "g.d=1s", "g.secret=\"token=***\"", `g.nasty="a b"`} {
		if !strings.Contains(line("first"), want) {
			t.Errorf("no %s in %s", want, line("first"))
		}
	}
	for _, want := range []string{"level=WARN", "err=oh", "list=[1,2]"} {
		if !strings.Contains(line("second"), want) {
			t.Errorf("no %s in %s", want, line("second"))
		}
	}
	if strings.Contains(log.String(), "unheard") {
		t.Error("a record came below the level of the log")
	}
	await(t, "the status", func() bool { return sup.Snapshot().Root.Children[0].Facts.Status == "well[31m" })
	if facts := sup.Snapshot().Root.Children[0].Facts; facts.PID == 0 || facts.Guard == "" {
		t.Errorf("the facts are %+v", facts)
	}
}

func TestOutputIsCapturedAsForAnyProcess(t *testing.T) {
	var out, err text
	s := chat.With(none{})
	s.Command.Stdout.Writer, s.Command.Stderr.Writer = &out, &err
	tree(t, quiet, child.Spec{Run: s})
	await(t, "both lines", func() bool { return out.String() != "" && err.String() != "" })
	if out.String() != "to the output\n" || err.String() != "to the error output\n" {
		t.Errorf("the output is %q, the error output %q", out.String(), err.String())
	}
}

// program is the test binary as another program, which counts its starts.
func program(t *testing.T, play string, env ...string) (cmd *exec.Cmd, starts func() int) {
	t.Helper()
	file, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	counter := filepath.Join(t.TempDir(), "starts")
	cmd = exec.CommandContext(t.Context(), file)
	cmd.Env = append(append(os.Environ(), plays+"="+play, counts+"="+counter), env...)
	return cmd, func() int { return countLines(t, counter) }
}

func countLines(t *testing.T, file string) int {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(b, []byte("\n"))
}

func TestACopyEndsWithItsParent(t *testing.T) {
	t.Parallel()
	cmd, _ := program(t, "parent")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	pid, e := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || e != nil {
		t.Fatal(line, err, e)
	}
	if err := syscall.Kill(pid, 0); err != nil {
		t.Fatalf("the copy does not run: %v", err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	await(t, "the copy is gone", func() bool { return gone(pid) })
}

// gone reports whether there is no such process, or only what nobody has waited
// for.
func gone(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	_, after, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(after, "Z")
}

func TestACopyRunsTheProgramThatRuns(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("it is started by path here")
	}
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "program")
	if err := copyFile(file, own); err != nil {
		t.Fatal(err)
	}
	cmd, _ := program(t, "replaced")
	cmd.Path = file
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "still me <nil>\n" {
		t.Errorf("%v: %s", err, out)
	}
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err = io.Copy(out, in); err != nil {
		return err
	}
	return out.Close()
}

func TestAProgramWithoutTheHookMakesNoCopyAndSaysWhatIsMissing(t *testing.T) {
	cmd, starts := program(t, "bomb", forget+"=1")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("it ended with %v: %s", err, out)
	}
	for _, want := range []string{"func main() { isolated.Main(); ", "func TestMain(m *testing.M) { isolated.Main(); "} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %s in %s", want, out)
		}
	}
	if n := starts(); n != 1 {
		t.Errorf("there were %d programs", n)
	}
}

func TestACopyWithoutTheHookEndsAndMakesNoCopy(t *testing.T) {
	t.Parallel()
	for name, play := range map[string]string{"runs isolated functions": "bomb", "runs something else": "sleep", "ends": "end"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			counter := filepath.Join(t.TempDir(), "starts")
			var out text
			s := echo.With(question{})
			s.Command.Stderr.Writer = &out
			s.Command.Env = []string{forget + "=1", plays + "=" + play, counts + "=" + counter}
			err := s.Serve(t.Context())
			var start *child.StartError
			if !errors.As(err, &start) || start.Temporary || !errors.Is(err, isolated.ErrNoHook) {
				t.Errorf("the error is %v", err)
			}
			if n := countLines(t, counter); n != 1 {
				t.Errorf("there were %d copies", n)
			}
			if shown := strings.Contains(out.String(), "\tfunc TestMain(m *testing.M) {\n\t\tisolated.Main()\n"); !shown && play != "end" {
				t.Errorf("it printed %s", out.String())
			}
		})
	}
}

func TestACopyThatSaysNothingIsKilled(t *testing.T) {
	t.Parallel()
	s := echo.With(question{})
	s.Command = discard
	s.Command.Env = []string{plays + "=mute"}
	began := time.Now()
	err := s.Serve(t.Context())
	if !errors.Is(err, isolated.ErrNoWord) {
		t.Errorf("the error is %v", err)
	}
	if took := time.Since(began); took < 5*time.Second || took > 9*time.Second {
		t.Errorf("it took %v", took)
	}
}

// registrations tells the runs of a test from each other.
var registrations atomic.Int64

func TestAFunctionThatIsNotRegisteredIsAnErrorAtOnce(t *testing.T) {
	name := fmt.Sprintf("missing-%d-%d", os.Getpid(), registrations.Add(1)) // no copy knows it
	missing := isolated.Register(name, func(context.Context, int) (int, error) { return 0, nil })
	wantRefusal(t, missing.With(1), "no function is registered as \"missing")
}

func TestAChangedArgumentIsAnErrorAtOnce(t *testing.T) {
	s := later.With(1)
	s.Command.Env = []string{other + "=1"}
	wantRefusal(t, s, "func(string) int here, and func(int) int in the program")
}

func wantRefusal(t *testing.T, s isolated.Service[int, int], want string) {
	t.Helper()
	began := time.Now()
	err := s.Serve(t.Context())
	var refused *isolated.RefusalError
	if exit := child.ExitOf(err); !errors.As(err, &refused) || exit.Kind != child.StartFailed || exit.Temporary {
		t.Fatalf("the exit is %v", exit)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %v", err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestTheChildrenOfACopyAreNoCopies(t *testing.T) {
	out, err := shell.Call(t.Context(), "env; ls -l /proc/self/fd 2>/dev/null")
	if err != nil {
		t.Fatal(err, out)
	}
	for _, unwanted := range []string{"COPPICE", "socket:"} {
		if strings.Contains(out, unwanted) {
			t.Errorf("%s is in %s", unwanted, out)
		}
	}
	pid, err := copies.Call(t.Context(), 2)
	if err != nil || pid == os.Getpid() || pid == 0 {
		t.Errorf("a copy within a copy: %d, %v", pid, err)
	}
}

func TestACopyRunsAsAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("it needs root")
	}
	s := whoAmI.With(none{})
	s.Command.User = process.User{Name: "65534", Group: "65534"}
	var got []int
	s.Result = func(_ context.Context, ids []int) { got = ids }
	if err := s.Serve(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, []int{65534, 65534}) {
		t.Errorf("it runs as %v", got)
	}
}

func TestAStreamThatIsNotOfMessagesEndsTheCopy(t *testing.T) {
	for name, what := range map[string]string{
		"an unknown kind":    "\xff\x00\x00\x00\x00",
		"a length too long":  "\x0a\x7f\xff\xff\xff",
		"no JSON":            "\x0c\x00\x00\x00\x01{",
		"the parent's words": "\x01\x00\x00\x00\x02{}",
		"two first words":    "\x05\x00\x00\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			s := garble.With([]byte(what))
			s.Command = discard
			began := time.Now()
			if err := s.Serve(t.Context()); !errors.Is(err, isolated.ErrMessage) {
				t.Errorf("the error is %v", err)
			}
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestAServiceKeepsTheContract(t *testing.T) {
	t.Parallel()
	s := waiter.With("")
	s.Command = discard
	tree(t, quiet, child.Spec{Run: s}) // what all processes share is nobody's
	err := childtest.Test(func() child.Service { return s }, childtest.Options{Watch: 300 * time.Millisecond})
	if err != nil {
		t.Error(err)
	}
}

func TestAHookOfTheCommandFindsItsPlaceInTheTree(t *testing.T) {
	found := make(chan string, 10)
	s := waiter.With("")
	s.Command = discard
	s.Command.Before = func(ctx context.Context, _ *process.Handle) error {
		found <- supervisor.Self(ctx).Path() + " in " + supervisor.Parent(ctx).Path()
		return nil
	}
	tree(t, quiet, child.Spec{Run: s})
	if got := <-found; got != "root/worker in root" {
		t.Errorf("it is %s", got)
	}
}

func TestACommandIsChecked(t *testing.T) {
	for name, change := range map[string]func(*isolated.Service[question, answer]){
		"Function":            func(s *isolated.Service[question, answer]) { s.Function = nil },
		"Command.Path":        func(s *isolated.Service[question, answer]) { s.Command.Path = "/bin/true" },
		"Command.Orphan":      func(s *isolated.Service[question, answer]) { s.Command.Orphan = process.LiveOn },
		"Command.Detach":      func(s *isolated.Service[question, answer]) { s.Command.Detach = true },
		"Command.System.Nice": func(s *isolated.Service[question, answer]) { s.Command.System.Nice = 99 },
		"Streams": func(s *isolated.Service[question, answer]) {
			s.Command.Streams = []process.Stream{{Name: "coppice-crash"}}
		},
		"Arg": func(s *isolated.Service[question, answer]) { s.Arg.Text = strings.Repeat("x", isolated.MaxValue) },
	} {
		s := echo.With(question{Text: "secret"})
		if err := s.Validate(); err != nil {
			t.Fatalf("without a mistake: %v", err)
		}
		change(&s)
		err := s.Validate()
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if exit := child.ExitOf(s.Serve(t.Context())); exit.Kind != child.StartFailed {
			t.Errorf("%s: served all the same, it is %v", name, exit)
		}
	}
}

func TestAServiceShowsItsNameAndNoArgument(t *testing.T) {
	s := echo.With(question{Text: "secret"})
	var log text
	slog.New(slog.NewJSONHandler(&log, nil)).Info("a service", "s", s)
	for _, shown := range []string{s.String(), s.GoString(), log.String()} {
		if !strings.Contains(shown, "isolated echo") || strings.Contains(shown, "secret") {
			t.Error(shown)
		}
	}
}
