//go:build linux

package process_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// handleOf is the handle of the process that runs at path.
func handleOf(t *testing.T, sup *supervisor.Supervisor, path string) *process.Handle {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	h, err := supervisor.Get[*process.Handle](ctx, sup.Find(path))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// statusOf is where the child at path stands.
func statusOf(t *testing.T, sup *supervisor.Supervisor, path string) supervisor.Status {
	t.Helper()
	s, err := sup.Find(path).Status()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// livingNames are the children of the supervisor at path whose processes
// live, in order.
func livingNames(t *testing.T, sup *supervisor.Supervisor, path string) string {
	t.Helper()
	all, err := sup.Find(path).Children()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range all {
		if s.State == supervisor.Running && len(living([]int{s.Facts.PID})) == 1 {
			names = append(names, s.Name)
		}
	}
	return strings.Join(names, " ")
}

// launches count the starts of commands by name.
type launches struct {
	mu  sync.Mutex // protects all
	all []string
}

// counted is a child whose starts are counted before they are made.
func (l *launches) counted(name string, c process.Command) child.Spec {
	c.Before = func(context.Context, *process.Handle) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.all = append(l.all, name)
		return nil
	}
	return child.Spec{Name: name, Run: c}
}

func (l *launches) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.all, " ")
}

func TestProcessesAreAddedStartedStoppedAndRemovedByName(t *testing.T) {
	needTools(t, "sleep")
	var l launches
	sup := supervised(t, supervisor.Spec{Children: []child.Specer{l.counted("a", sleeper())}})
	ctx, root := t.Context(), sup.Ref()
	add := func(name string) func() error {
		return func() error { _, err := root.StartChild(ctx, l.counted(name, sleeper())); return err }
	}
	start := func(name string) func() error { return func() error { return root.RestartChild(ctx, name) } }
	stop := func(name string) func() error { return func() error { return root.TerminateChild(ctx, name) } }
	restart := func(name string) func() error { return func() error { return root.Child(name).Bounce(ctx) } }
	remove := func(name string) func() error { return func() error { return root.DeleteChild(ctx, name) } }
	for i, step := range []struct {
		do    func() error
		want  error
		lives string
	}{
		{add("b"), nil, "a b"},
		{add("b"), supervisor.ErrAlreadyStarted, "a b"},
		{start("b"), supervisor.ErrRunning, "a b"},
		{stop("a"), nil, "b"},
		{stop("a"), nil, "b"},
		{add("a"), supervisor.ErrAlreadyPresent, "b"},
		{start("a"), nil, "a b"},
		{restart("b"), nil, "a b"},
		{remove("b"), supervisor.ErrRunning, "a b"},
		{stop("b"), nil, "a"},
		{restart("b"), nil, "a b"},
		{stop("b"), nil, "a"},
		{remove("b"), nil, "a"},
		{start("b"), supervisor.ErrNotFound, "a"},
		{stop("b"), supervisor.ErrNotFound, "a"},
		{restart("b"), supervisor.ErrNotFound, "a"},
		{remove("b"), supervisor.ErrNotFound, "a"},
		{add("b"), nil, "a b"},
	} {
		if err := step.do(); !errors.Is(err, step.want) {
			t.Errorf("step %d: got %v, want %v", i, err, step.want)
		}
		if got := livingNames(t, sup, "root"); got != step.lives {
			t.Errorf("step %d: %q live, want %q", i, got, step.lives)
		}
	}
	if got, want := l.String(), "a b a b b b"; got != want {
		t.Errorf("started were %q, want %q", got, want)
	}
	stopped(t, sup)
}

func TestNothingRunsBeforeTheTreeAndThenAllInOrder(t *testing.T) {
	needTools(t, "sleep")
	var l launches
	sup, err := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}.New(supervisor.Spec{Name: "root", Children: []child.Specer{
		l.counted("c", sleeper()), l.counted("a", sleeper()), l.counted("b", sleeper()),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got := l.String(); got != "" {
		t.Errorf("started are %q", got)
	}
	done := make(chan error)
	go func() { done <- sup.Serve(context.Background()) }()
	comesTrue(t, "all run", func() bool { return sup.Snapshot().Root.State == supervisor.Running })
	if got := l.String(); got != "c a b" || livingNames(t, sup, "root") != got {
		t.Errorf("started were %q, of which live %q", got, livingNames(t, sup, "root"))
	}
	stopped(t, sup)
	<-done
}

// Not one of them waits for a delay, however short its life was.
func TestRestartAllReplacesEveryProcessAtOnce(t *testing.T) {
	needTools(t, "sleep", "false")
	var l launches
	sup := supervised(t, supervisor.Spec{
		Backoff:  strategies.Backoff{Min: time.Hour, Max: time.Hour, Threshold: time.Hour},
		Children: []child.Specer{l.counted("a", sleeper()), l.counted("b", sleeper()), l.counted("c", sleeper()), l.counted("d", process.Command{Path: "false"})},
	})
	awaitEvent(t, sup, supervisor.ChildExited, func(supervisor.Event) bool { return true })
	if err := sup.Ref().TerminateChild(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	before := []int{handleOf(t, sup, "root/a").PID(), handleOf(t, sup, "root/c").PID()}
	within(t, 20*time.Second, "it", func() {
		if err := sup.Ref().RestartAll(t.Context()); err != nil {
			t.Error(err)
		}
	})
	if left := living(before); len(left) > 0 {
		t.Errorf("of those before these live: %v", left)
	}
	if got, want := l.String(), "a b c d a c d"; got != want {
		t.Errorf("started were %q, want %q", got, want)
	}
	comesTrue(t, "all but one live", func() bool { return livingNames(t, sup, "root") == "a c" })
	if s := statusOf(t, sup, "root/a"); s.Restarts != 0 {
		t.Errorf("it counts: %+v", s)
	}
	stopped(t, sup)
}

// The arithmetic of Twisted's monitor, written down once more.
func TestADeathIsFollowedByTheDelayThatTwistedWouldMake(t *testing.T) {
	const (
		shortest, longest = 20 * time.Millisecond, 70 * time.Millisecond
		threshold         = time.Second
		runs              = 8
	)
	c := shell(t, `echo x >>"$1"; if [ "$(wc -l <"$1")" -eq 5 ]; then sleep 1.1; fi; exit 0`, new(lines))
	c.Args = append(c.Args, "sh", filepath.Join(t.TempDir(), "lives"))
	sup := supervised(t, supervisor.Spec{
		Backoff:  strategies.Backoff{Min: shortest, Max: longest, Threshold: threshold},
		Children: []child.Specer{child.Spec{Name: "c", Run: c}},
	})
	var exits, begins []supervisor.Event
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for e := range sup.Events(ctx, 0) {
		switch e.Kind {
		case supervisor.ChildExited:
			exits = append(exits, e)
		case supervisor.ChildStarting:
			begins = append(begins, e)
		}
		if len(begins) > runs {
			break
		}
	}
	deaths := statusOf(t, sup, "root/c").Deaths
	stopped(t, sup)
	delay := shortest
	for i := range runs {
		want := delay
		if deaths[i].Lived < threshold {
			delay = min(2*delay, longest)
		} else {
			want, delay = 0, shortest
		}
		if got := exits[i]; got.Wait != want || got.Next != supervisor.Restarts || got.Exit.Kind != child.Normal {
			t.Errorf("after life %d of %v: %v, want a wait of %v", i+1, deaths[i].Lived, got, want)
		}
		if waited := begins[i+1].Time.Sub(exits[i].Time); waited < want {
			t.Errorf("after life %d: it waited %v, want %v", i+1, waited, want)
		}
	}
	if deaths[4].Lived < threshold {
		t.Errorf("the long life was %v", deaths[4].Lived)
	}
}

func TestAProgramThatIsMissingForAWhileIsTriedEverMoreSlowly(t *testing.T) {
	for name, tt := range map[string]struct {
		take, give func(dir string) error
	}{
		"its program": {
			func(dir string) error { return os.Rename(dir+"/program", dir+"/elsewhere") },
			func(dir string) error { return os.Rename(dir+"/elsewhere", dir+"/program") },
		},
		"its directory": {
			func(dir string) error { return os.Remove(dir + "/work") },
			func(dir string) error { return os.Mkdir(dir+"/work", 0o700) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			needTools(t, "sleep")
			dir := t.TempDir()
			makeFile(t, dir, "program", "#!/bin/sh\nexec sleep 300\n", 0o700)
			if err := os.Mkdir(dir+"/work", 0o700); err != nil {
				t.Fatal(err)
			}
			sup := supervised(t, supervisor.Spec{
				Backoff:  strategies.Backoff{Min: 20 * time.Millisecond, Max: 40 * time.Millisecond, Threshold: time.Hour},
				Children: []child.Specer{child.Spec{Name: "c", Run: process.Command{Path: dir + "/program", Dir: dir + "/work"}}},
			})
			fails := func() {
				t.Helper()
				if err := tt.take(dir); err != nil {
					t.Fatal(err)
				}
				from := sup.Snapshot().Seq
				if err := handleOf(t, sup, "root/c").Terminate(); err != nil {
					t.Fatal(err)
				}
				failed := 0
				awaitEvent(t, sup, supervisor.ChildExited, func(e supervisor.Event) bool {
					if e.Seq > from && e.Exit.Kind == child.StartFailed {
						if failed++; e.Next != supervisor.Restarts || e.Wait < 20*time.Millisecond {
							t.Errorf("got %v", e)
						}
					}
					return failed == 3
				})
				if err := tt.give(dir); err != nil {
					t.Fatal(err)
				}
			}
			fails()
			comesTrue(t, "it runs again", func() bool { return livingNames(t, sup, "root") == "c" })
			fails()
			_ = tt.take(dir) // it may start meanwhile
			if err := sup.Ref().TerminateChild(t.Context(), "c"); err != nil {
				t.Error(err)
			}
			seq := sup.Snapshot().Seq
			time.Sleep(100 * time.Millisecond)
			if s := sup.Snapshot(); s.Root.Children[0].State != supervisor.Down || s.Seq != seq {
				t.Errorf("after the stop it is %v", s.Root.Children[0])
			}
			stopped(t, sup)
		})
	}
}

func TestAStubbornProcessIsKilledAfterItsKillTimeWithItsGroup(t *testing.T) {
	const killTime = 300 * time.Millisecond
	var out lines
	c := shell(t, `(trap "" TERM; echo $$ >"$1"; while :; do sleep 0.05; done) & `+strings.Replace(stubborn, "echo on", "echo $$ $!; echo on", 1), &out)
	c.Args = append(c.Args, "sh", filepath.Join(t.TempDir(), "pid"))
	sup := supervised(t, supervisor.Spec{Children: []child.Specer{child.Spec{Name: "c", Run: c, Shutdown: killTime}}})
	await(t, &out, "on")
	began := time.Now()
	if err := sup.Ref().TerminateChild(t.Context(), "c"); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took < killTime {
		t.Errorf("it was killed after %v", took)
	}
	pids := numbersIn(out.String())
	if left := living(pids); len(pids) != 2 || len(left) > 0 {
		t.Errorf("of %v these live: %v", pids, left)
	}
	killed := 0
	stopped(t, sup)
	for e := range sup.Events(t.Context(), 0) {
		if e.Kind == supervisor.ChildKilled {
			killed++
		}
	}
	if killed != 1 {
		t.Errorf("it was killed %d times", killed)
	}
}

func TestAnEndInTimeCancelsTheKill(t *testing.T) {
	const killTime = 500 * time.Millisecond
	sup := supervised(t, supervisor.Spec{Children: []child.Specer{child.Spec{Name: "c", Run: sleeper(), Shutdown: killTime}}})
	for range 3 {
		if err := sup.Find("root/c").Bounce(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	successor := handleOf(t, sup, "root/c")
	time.Sleep(killTime + 200*time.Millisecond)
	if !successor.Alive() || handleOf(t, sup, "root/c") != successor {
		t.Error("the successor was killed")
	}
	stopped(t, sup)
	for e := range sup.Events(t.Context(), 0) {
		if e.Kind == supervisor.ChildKilled {
			t.Errorf("got %v", e)
		}
	}
}

func TestANameCanBeGivenAgainWhileItsOldProcessIsDying(t *testing.T) {
	var out lines
	before := shell(t, `trap 'echo dying; sleep 0.5; exit 0' TERM; echo "old $$"; while :; do sleep 0.01; done`, &out)
	after := shell(t, `echo "new $$"; exec sleep 300`, &out)
	after.Before = func(context.Context, *process.Handle) error {
		if left := living(numbersIn(out.String())); len(left) > 0 {
			return fmt.Errorf("the old one lives: %v", left)
		}
		return nil
	}
	sup := supervised(t, supervisor.Spec{Children: []child.Specer{child.Spec{Name: "c", Run: before}}})
	await(t, &out, "old")
	hurry, cancel := context.WithCancel(t.Context())
	cancel() // whoever calls waits for nothing
	if err := sup.Ref().TerminateChild(hurry, "c"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	await(t, &out, "dying")
	if err := sup.Ref().DeleteChild(hurry, "c"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if len(living(numbersIn(out.String()))) == 0 {
		t.Error("it does not die slowly")
	}
	if _, err := sup.Ref().StartChild(t.Context(), child.Spec{Name: "c", Run: after}); err != nil {
		t.Error(err)
	}
	await(t, &out, "new")
	time.Sleep(50 * time.Millisecond)
	if left := living(numbersIn(out.String())); !slices.Equal(left, []int{handleOf(t, sup, "root/c").PID()}) {
		t.Errorf("there live %v", left)
	}
	if s := statusOf(t, sup, "root/c"); s.Incarnation != 2 || s.Restarts != 0 {
		t.Errorf("got %+v", s)
	}
	stopped(t, sup)
}

func TestAfterTheStopNoneIsLeftAndNoneComesBack(t *testing.T) {
	needTools(t, "false", "sleep")
	const delay = 200 * time.Millisecond
	var out lines
	var l launches
	sup := supervised(t, supervisor.Spec{
		Backoff: strategies.Backoff{Min: delay, Max: delay, Threshold: time.Hour},
		Children: []child.Specer{
			l.counted("waits", process.Command{Path: "false"}), l.counted("obeys", shell(t, "echo $$; sleep 300", &out)),
			l.counted("ignores", shell(t, "echo $$; "+stubborn, &out)),
		},
		Shutdown: 300 * time.Millisecond,
	})
	await(t, &out, "on")
	awaitEvent(t, sup, supervisor.ChildExited, func(supervisor.Event) bool { return true })
	stopped(t, sup)
	before := l.String()
	pids := numbersIn(out.String())
	if left := living(pids); len(pids) != 2 || len(left) > 0 {
		t.Errorf("of %v these live: %v", pids, left)
	}
	time.Sleep(2 * delay)
	if after := l.String(); after != before {
		t.Errorf("started were %q, then %q", before, after)
	}
}

func TestInstantDeathsAreFollowedByRestartsWithoutEnd(t *testing.T) {
	needTools(t, "true")
	sup := supervised(t, supervisor.Spec{Children: []child.Specer{child.Spec{Name: "c", Run: process.Command{Path: "true"}}}})
	var early, late int
	awaitEvent(t, sup, supervisor.ChildExited, func(e supervisor.Event) bool {
		switch e.Incarnation {
		case 20:
			early = runtime.NumGoroutine()
		case 300:
			late = runtime.NumGoroutine()
		}
		return e.Incarnation == 300
	})
	stopped(t, sup)
	if late > early+20 {
		t.Errorf("there were %d goroutines, and then %d", early, late)
	}
}

func TestLinesOfBothStreamsAreTaggedWithTheNameOfTheirProcess(t *testing.T) {
	var log lines
	print := func(name string) child.Spec {
		return child.Spec{Name: name, Restart: child.Transient, Run: process.Command{Shell: true, Args: []string{name},
			Path: `echo "hello $1!"; echo "$1 fails" >&2; printf '\377%s\n' "$1"; printf "$1 unfinished"`}}
	}
	opts := supervisor.Options{Logger: slog.New(slog.NewJSONHandler(&log, nil))}
	sup, err := opts.Start(context.Background(), supervisor.Spec{Name: "root", Children: []child.Specer{print("web"), print("db")}})
	if err != nil {
		t.Fatal(err)
	}
	comesTrue(t, "both have ended", func() bool { return livingNames(t, sup, "root") == "" })
	stopped(t, sup)
	got := map[string][]string{}
	for dec := json.NewDecoder(strings.NewReader(log.String())); dec.More(); {
		var r struct{ Msg, Path, Stream, Line string }
		if err := dec.Decode(&r); err != nil {
			t.Fatal(err)
		}
		if r.Msg == "output" {
			got[r.Path+" "+r.Stream] = append(got[r.Path+" "+r.Stream], r.Line)
		}
	}
	for _, name := range []string{"web", "db"} {
		if want := []string{"hello " + name + "!", `\xff` + name, name + " unfinished"}; !slices.Equal(got["root/"+name+" stdout"], want) {
			t.Errorf("the output of %s is %q, want %q", name, got["root/"+name+" stdout"], want)
		}
		if want := []string{name + " fails"}; !slices.Equal(got["root/"+name+" stderr"], want) {
			t.Errorf("the error output of %s is %q, want %q", name, got["root/"+name+" stderr"], want)
		}
	}
	if len(got) != 4 {
		t.Errorf("got %q", got)
	}
}

func TestALineOfAnyLengthLeavesItsProcessAlone(t *testing.T) {
	needTools(t, "head", "tr", "sleep")
	var out lines
	c := shell(t, `for n in 16384 16385 40000 1000000; do head -c $n /dev/zero | tr '\0' x; echo; done; head -c 40000 /dev/zero | tr '\0' y; echo over >&2; exec sleep 300`, &out)
	c.Stderr = process.Output{Writer: new(lines)}
	over := c.Stderr.Writer.(*lines)
	sup := supervised(t, supervisor.Spec{Children: []child.Specer{child.Spec{Name: "c", Run: c}}})
	await(t, over, "over")
	if s := statusOf(t, sup, "root/c"); s.State != supervisor.Running || s.Incarnation != 1 {
		t.Errorf("got %+v", s)
	}
	stopped(t, sup)
	var want strings.Builder
	for _, n := range []int{16384, 16385, 40000, 1000000} {
		want.WriteString(strings.Repeat("x", n) + "\n")
	}
	arrives(t, &out, want.String()+strings.Repeat("y", 40000)+"\n")
}

func TestArgumentsAreWordsThatNoShellSees(t *testing.T) {
	needTools(t, "printf", "cat")
	var out lines
	c := process.Command{Path: "printf", Args: []string{`%s|`, "$HOME", "*", "; exit 3", "a  b", ""}, Stdout: process.Output{Writer: &out}}
	if err := c.Serve(t.Context()); err != nil {
		t.Fatal(err)
	}
	arrives(t, &out, "$HOME|*|; exit 3|a  b||\n")
	out = lines{}
	c.Path, c.Args = "cat", []string{"/proc/self/cmdline"}
	if err := c.Serve(t.Context()); err != nil {
		t.Fatal(err)
	}
	arrives(t, &out, "cat\x00/proc/self/cmdline\x00\n")
}

// userInGroups is a user other than us with its groups, of which there are
// several if the machine has such a user.
func userInGroups(t *testing.T) (who *user.User, groups []string) {
	t.Helper()
	names := []string{"daemon"}
	table, err := os.ReadFile("/etc/group")
	if err != nil {
		t.Skip("it needs a table of groups: ", err)
	}
	for line := range strings.Lines(string(table)) {
		if fields := strings.Split(strings.TrimSpace(line), ":"); len(fields) == 4 && fields[3] != "" {
			names = append(strings.Split(fields[3], ","), names...)
		}
	}
	for _, name := range names {
		if who, err = user.Lookup(name); err != nil || who.Uid == "0" {
			continue
		}
		if groups, err = who.GroupIds(); err == nil {
			return who, groups
		}
	}
	t.Skip("it needs a user: ", err)
	return nil, nil
}

func sorted(words []string) string { return strings.Join(slices.Sorted(slices.Values(words)), " ") }

func TestAProcessRunsAsItsUserWithTheGroupsOfThatUser(t *testing.T) {
	needTools(t, "id")
	if os.Getuid() != 0 {
		t.Skip("only root can run a program as somebody else")
	}
	ids := func(u process.User) string {
		t.Helper()
		var out lines
		c := shell(t, "id -u; id -g; id -G", &out)
		c.User = u
		if err := c.Serve(t.Context()); err != nil {
			t.Fatal(err)
		}
		fields := strings.Split(strings.TrimSpace(out.String()), "\n")
		fields[2] = sorted(strings.Fields(fields[2]))
		return strings.Join(fields, "|")
	}
	who, groups := userInGroups(t)
	if got, want := ids(process.User{Name: who.Username}), who.Uid+"|"+who.Gid+"|"+sorted(groups); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := ids(process.User{Name: "54321"}), "54321|54321|54321"; got != want {
		t.Errorf("a number that nobody has: got %s, want %s", got, want)
	}
	if got := ids(process.User{Group: "54321"}); !strings.HasPrefix(got, "0|54321|") {
		t.Errorf("a group alone: got %s", got)
	}
	if got, want := ids(process.User{Name: "54321", Group: "54322", Groups: []string{"54323"}}), "54321|54322|54322 54323"; got != want {
		t.Errorf("all of them: got %s, want %s", got, want)
	}
}
