//go:build linux

package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/child/process/internal/spawn"
)

// makeFile makes a file in dir.
func makeFile(t *testing.T, dir, name, content string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// startError is the failed start that err tells of.
func startError(t *testing.T, err error) (*process.StartError, bool) {
	t.Helper()
	var outer *child.StartError
	var inner *process.StartError
	if !errors.As(err, &outer) || !errors.As(err, &inner) {
		t.Fatalf("it is no failed start: %v", err)
	}
	return inner, outer.Temporary
}

func TestAStartErrorNamesWhatWasWrongAndWhetherItIsForNow(t *testing.T) {
	dir := t.TempDir()
	text := makeFile(t, dir, "text", "no program\n", 0o755)
	plain := makeFile(t, dir, "plain", "#!/bin/sh\n", 0o644)
	open := makeFile(t, dir, "open", "#!/bin/sh\n", 0o755)
	writer, err := os.OpenFile(open, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	long := strings.Repeat("x", 200<<10)
	for name, tt := range map[string]struct {
		c      process.Command
		step   string
		says   string
		errno  error
		forNow bool
	}{
		"a program that is not there":     {process.Command{Path: "/no/such"}, "exec", "no such program", syscall.ENOENT, false},
		"a name that is not in PATH":      {process.Command{Path: "no-such-program"}, "lookup", "in no directory of PATH", syscall.ENOENT, false},
		"a file that is not executable":   {process.Command{Path: plain}, "exec", "not executable", syscall.EACCES, false},
		"one of them in PATH":             {process.Command{Path: "plain", Env: []string{"PATH=" + dir}}, "lookup", "not executable", syscall.EACCES, false},
		"a directory":                     {process.Command{Path: dir}, "exec", "it is a directory", syscall.EACCES, false},
		"an empty file":                   {process.Command{Path: makeFile(t, dir, "empty", "", 0o755)}, "exec", "nothing that this system can execute", syscall.ENOEXEC, false},
		"a text":                          {process.Command{Path: text}, "exec", "nothing that this system can execute", syscall.ENOEXEC, false},
		"a script without interpreter":    {process.Command{Path: makeFile(t, dir, "script", "#!/no/such -x\n", 0o755)}, "exec", `interpreter "/no/such" is missing`, syscall.ENOENT, false},
		"a directory that is not there":   {process.Command{Path: "sh", Dir: "/nope"}, "directory", `cannot enter "/nope"`, syscall.ENOENT, false},
		"a directory that is a file":      {process.Command{Path: "sh", Dir: plain}, "directory", "cannot enter", syscall.ENOTDIR, false},
		"a program that is being written": {process.Command{Path: open}, "exec", "cannot start for now", syscall.ETXTBSY, true},
		"too long an argument":            {process.Command{Path: "sh", Args: []string{long}}, "exec", "too long", syscall.E2BIG, false},
		"an unknown user":                 {process.Command{Path: "sh", User: process.User{Name: "no-such-user"}}, "user", `"no-such-user"`, nil, false},
		"an unknown group":                {process.Command{Path: "sh", User: process.User{Group: "no-such-group"}}, "user", `"no-such-group"`, nil, false},
		"a hook that fails":               {process.Command{Path: "sh", Before: func(context.Context, *process.Handle) error { return errors.New("not now") }}, "hook", "not now", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, forNow := startError(t, tt.c.Serve(t.Context()))
			if got.Step != tt.step || forNow != tt.forNow || !strings.Contains(got.Error(), tt.says) {
				t.Errorf("step %s, for now: %t: %v", got.Step, forNow, got)
			}
			if tt.errno != nil && !errors.Is(got, tt.errno) {
				t.Errorf("the system's answer is %v, want %v", got.Err, tt.errno)
			}
			if strings.Contains(got.Error(), "xxxx") || strings.ContainsAny(got.Error(), "\n\x1b") {
				t.Errorf("it shows %v", got)
			}
		})
	}
	t.Run("a NUL byte", func(t *testing.T) {
		var mistake *process.FieldError
		err := process.Command{Path: "sh", Args: []string{"secret\x00"}}.Serve(t.Context())
		var outer *child.StartError
		if !errors.As(err, &mistake) || !errors.As(err, &outer) || outer.Temporary || mistake.Field != "Command.Args[0]" || strings.Contains(err.Error(), "secret") {
			t.Errorf("got %v", err)
		}
	})
}

// another is a user that nobody is.
const another = 23456

// asAnother plays a role as an ordinary user that has nothing else.
func asAnother(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := player(t, nil, name, args...)
	if os.Getuid() == 0 {
		self := makeFile(t, t.TempDir(), "self", "", 0o700)
		bytes, err := os.ReadFile(cmd.Path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(self, bytes, 0o755); err != nil { //nolint:gosec // it is to be executed by another user
			t.Fatal(err)
		}
		for dir := filepath.Dir(self); len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
			_ = os.Chmod(dir, 0o755) //nolint:gosec // as above
		}
		_ = os.Chmod(self, 0o755) //nolint:gosec // as above
		cmd.Path, cmd.Args[0], cmd.Dir = self, self, "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: another, Gid: another}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestWhoIsNotRootCannotBecomeAnother(t *testing.T) {
	want := "user for now false operation not permitted"
	if !spawn.Vfork { // the system's library does not tell its steps
		want = "exec for now false operation not permitted"
	}
	if got := asAnother(t, becomer); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// becomer is a program that wants to be another user.
var becomer = addRole("becomer", func([]string) {
	err := process.Command{Path: "sh", User: process.User{Name: "0"}}.Serve(context.Background())
	show(err)
})

// show prints a failed start in a role.
func show(err error) {
	var outer *child.StartError
	var inner *process.StartError
	if !errors.As(err, &outer) || !errors.As(err, &inner) {
		fmt.Println("no failed start:", err)
		os.Exit(1)
	}
	var errno syscall.Errno
	_ = errors.As(err, &errno)
	fmt.Println(inner.Step, "for now", outer.Temporary, errno)
}

func TestAProgramThatIsStillBeingWrittenIsTriedAgain(t *testing.T) {
	path := makeFile(t, t.TempDir(), "program", "#!/bin/sh\nexit 0\n", 0o755)
	for try := range 10 { // on a busy machine the writer may be late
		writer, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, forNow := startError(t, process.Command{Path: path}.Serve(t.Context())); !forNow {
			t.Error("it is for good")
		}
		closed := make(chan error)
		time.AfterFunc(10*time.Millisecond, func() { closed <- writer.Close() })
		err = process.Command{Path: path}.Serve(t.Context())
		if e := <-closed; e != nil {
			t.Fatal(e)
		}
		if err == nil {
			return
		}
		t.Logf("try %d: %v", try, err)
	}
	t.Error("it never starts")
}

// Any fork at the wrong moment keeps the file that a goroutine has just
// written open for an instant.
func TestAProgramCanBeStartedWhileOthersForkAndWrite(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for n := range 40 {
				path := filepath.Join(dir, fmt.Sprint(i, "-", n))
				if err := os.WriteFile(path, []byte("#!/bin/sh\nexit 0\n"), 0o755); err != nil { //nolint:gosec // it is to be executed
					t.Error(err)
				}
				if err := (process.Command{Path: path}).Serve(t.Context()); err != nil {
					t.Errorf("got %v", err)
				}
			}
		})
	}
	all.Wait()
}

func TestWithoutRoomForAnotherProcessAStartFailsForNow(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the limit of processes counts those of a whole user, and only root can be one who has none")
	}
	if got, want := asAnother(t, crowd), "fork for now true resource temporarily unavailable"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// crowd is a program that starts processes until there is no room, and
// another one when there is.
var crowd = addRole("crowd", func([]string) {
	const most = 60
	orExit(unix.Setrlimit(unix.RLIMIT_NPROC, &unix.Rlimit{Cur: most, Max: most}))
	sleeper := process.Command{Path: "sleep", Args: []string{"300"}, Orphan: process.LiveOn}
	ctx, stop := context.WithCancel(context.Background())
	failed := make(chan error, most)
	var all sync.WaitGroup
	var err error
	for err == nil {
		all.Go(func() {
			if err := sleeper.Serve(ctx); err != nil {
				failed <- err
			}
		})
		select {
		case err = <-failed:
		case <-time.After(20 * time.Millisecond):
		}
	}
	stop()
	all.Wait()
	orExit(process.Command{Path: "true", Orphan: process.LiveOn}.Serve(context.Background()))
	var inner *process.StartError
	if errors.As(err, &inner) && inner.Step == "exec" {
		inner.Step = "fork" // where fork and exec are one step of the system's library
	}
	show(err)
})

func TestWithoutDescriptorsAStartFailsForNowAndLosesNone(t *testing.T) {
	if got, want := play(t, nil, full), "descriptors for now true too many open files"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// full is a program that has no descriptors left.
var full = addRole("full", func([]string) {
	orExit(unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 64, Max: 64}))
	c := process.Command{Path: "true"}
	orExit(c.Serve(context.Background()))
	var taken []int
	for {
		fd, err := syscall.Open(os.DevNull, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		if err != nil {
			break
		}
		taken = append(taken, fd)
	}
	var failed error
	for range 3 { // of which the null device takes one, and a pipe two
		orExit(syscall.Close(taken[0]))
		taken = taken[1:]
		before := len(descriptors())
		failed = c.Serve(context.Background())
		if after := len(descriptors()); after != before {
			fmt.Println("there were", before, "and are", after)
			os.Exit(1)
		}
	}
	for _, fd := range taken {
		orExit(syscall.Close(fd))
	}
	orExit(c.Serve(context.Background()))
	show(failed)
})

func descriptors() []os.DirEntry {
	all, err := os.ReadDir("/proc/self/fd")
	orExit(err)
	return all
}

// Another goroutine of the program must be able to accept a connection.
func TestTheLastDescriptorsAreLeftForTheProgram(t *testing.T) {
	got := play(t, nil, greedy)
	if want := "descriptors for now true too many open files"; !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if want := " of 160 is needed, and the last 20 are kept free"; !strings.Contains(got, want) {
		t.Errorf("got %q, want %q in it", got, want)
	}
}

// greedy is a program that starts as many processes as it can.
var greedy = addRole("greedy", func([]string) {
	orExit(unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 160, Max: 160}))
	ctx, stop := context.WithCancel(context.Background())
	failed := make(chan error, 100)
	var all sync.WaitGroup
	var err error
	for n := 0; err == nil && n < 100; n++ {
		all.Go(func() {
			if err := (process.Command{Path: "sleep", Args: []string{"300"}}).Serve(ctx); err != nil {
				failed <- err
			}
		})
		select {
		case err = <-failed:
		case <-time.After(10 * time.Millisecond):
		}
	}
	for range 10 {
		_, err := syscall.Open(os.DevNull, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		orExit(err)
	}
	show(err)
	fmt.Println(err)
	stop()
	all.Wait()
})

func TestAFailedStartLeavesNothingBehind(t *testing.T) {
	bad := []process.Command{
		{Path: "/no/such"}, {Path: "no-such-program"}, {Path: "sh", Dir: "/nope"},
		{Path: "sh", User: process.User{Name: "no-such-user"}},
		{Path: "/no/such", Stdin: process.Input{From: process.Piped}, Streams: []process.Stream{{Name: "s"}}},
	}
	for _, c := range bad {
		_ = c.Serve(t.Context())
	}
	files, below := len(descriptors()), offspring(t)
	for range 30 {
		for _, c := range bad {
			startError(t, c.Serve(t.Context()))
		}
	}
	if got := len(descriptors()); got > files {
		t.Errorf("%d descriptors before, %d after", files, got)
	}
	if got := offspring(t); len(got) > len(below) {
		t.Errorf("%v before, %v after", below, got)
	}
}

// offspring are the children of the test, zombies included, except for those
// that serve all processes.
func offspring(t *testing.T) (pids []int) {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Skip("children are counted in /proc: ", err)
	}
	for _, task := range tasks {
		list, err := os.ReadFile("/proc/self/task/" + task.Name() + "/children")
		if err != nil {
			continue // the thread has ended
		}
		for field := range strings.FieldsSeq(string(list)) {
			line, _ := os.ReadFile("/proc/" + field + "/cmdline")
			if pid, err := strconv.Atoi(field); err == nil && !strings.Contains(string(line), "coppice-watcher") {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}
