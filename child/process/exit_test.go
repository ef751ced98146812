//go:build unix

package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
)

func TestTheExitCodeTheSignalAndTheCoreAreTold(t *testing.T) {
	for name, tt := range map[string]struct {
		script string
		want   child.StatusError
		shell  int
	}{
		"a code":                             {"exit 3", child.StatusError{Code: 3}, 3},
		"the code of a shell's signal":       {"exit 137", child.StatusError{Code: 137}, 137},
		"the signal that it looks like":      {"kill -KILL $$", child.StatusError{Signal: syscall.SIGKILL}, 137},
		"a signal without a core":            {"ulimit -c 0; kill -ABRT $$", child.StatusError{Signal: syscall.SIGABRT}, 134},
		"a program that ends the shell":      {"exec sh -c 'exit 9'", child.StatusError{Code: 9}, 9},
		"the highest code":                   {"exit 255", child.StatusError{Code: 255}, 255},
		"a request that nobody of us made":   {"kill -TERM $$", child.StatusError{Signal: syscall.SIGTERM}, 143},
		"a user's signal without a handler":  {"kill -USR1 $$", child.StatusError{Signal: syscall.SIGUSR1}, 128 + int(syscall.SIGUSR1)},
		"a broken pipe that nobody ignores":  {"kill -PIPE $$", child.StatusError{Signal: syscall.SIGPIPE}, 128 + int(syscall.SIGPIPE)},
		"the last of those with a real name": {"kill -HUP $$", child.StatusError{Signal: syscall.SIGHUP}, 129},
	} {
		t.Run(name, func(t *testing.T) {
			err := shell(t, tt.script, new(lines)).Serve(t.Context())
			var got *child.StatusError
			if !errors.As(err, &got) {
				t.Fatalf("got %v", err)
			}
			if got.Code != tt.want.Code || got.Signal != tt.want.Signal || got.Core {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if status := child.ExitOf(err).ExitStatus(); status != tt.shell {
				t.Errorf("got the status %d, want %d", status, tt.shell)
			}
		})
	}
	t.Run("a signal with a core", func(t *testing.T) {
		c := shell(t, "ulimit -c unlimited && kill -ABRT $$", new(lines))
		c.Dir = t.TempDir()
		err := c.Serve(t.Context())
		var got *child.StatusError
		if !errors.As(err, &got) || got.Signal != syscall.SIGABRT {
			t.Skip("the limit of core files cannot be raised here: ", err)
		}
		files, _ := filepath.Glob(filepath.Join(c.Dir, "*core*"))
		if len(files) == 0 && !got.Core {
			t.Skip("this machine writes no core files")
		}
		if !got.Core || !child.ExitOf(err).Core || !strings.Contains(err.Error(), "core dumped") {
			t.Errorf("got %v beside %v", err, files)
		}
	})
}

func TestAnEndTellsWhatTheProcessHasUsed(t *testing.T) {
	c := shell(t, "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo that was it; exit 1", new(lines))
	var got *child.StatusError
	if err := c.Serve(t.Context()); !errors.As(err, &got) {
		t.Fatalf("got %v", err)
	}
	if got.Usage.User+got.Usage.System == 0 || got.Lived < got.Usage.User {
		t.Errorf("it lived for %v and used %+v", got.Lived, got.Usage)
	}
	if got.Usage.MaxRSS < 100<<10 || got.Usage.MaxRSS > 1<<30 {
		t.Errorf("it had %d bytes", got.Usage.MaxRSS)
	}
	if got.Output != "that was it\n" {
		t.Errorf("it printed %q", got.Output)
	}
}

func TestAProcessThatEndsAtOnceIsSeen(t *testing.T) {
	needTools(t, "true", "false")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 40 {
				name := []string{"true", "false"}[i%2]
				err := process.Command{Path: name}.Serve(t.Context())
				if got := child.ExitOf(err).ExitStatus(); got != i%2 {
					t.Errorf("%s: got %v", name, err)
				}
			}
		})
	}
	all.Wait()
}

func TestAnEndOfTheOutputIsNoExit(t *testing.T) {
	var out lines
	file := filepath.Join(t.TempDir(), "go")
	c := shell(t, "echo on; exec >&- 2>&-; while [ ! -e \"$1\" ]; do sleep 0.01; done; exit 7", &out)
	c.Args = append(c.Args, "sh", file)
	r := serving(t, c)
	await(t, &out, "on")
	time.Sleep(50 * time.Millisecond) // the ends of the pipes are seen meanwhile
	if !r.Alive() {
		t.Error("it was taken for dead")
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := child.ExitOf(r.end()).ExitStatus(); got != 7 {
		t.Errorf("got %v", r.outcome)
	}
}

// The status is lost, the end is not.
func TestAnotherWaitInThisProgramIsNoticed(t *testing.T) {
	t.Run("for this process", func(t *testing.T) {
		r := serving(t, shell(t, "exit 3", new(lines)))
		var status syscall.WaitStatus
		_, err := syscall.Wait4(r.PID(), &status, 0, nil)
		got := r.end()
		if err == nil && !errors.Is(got, process.ErrStatusLost) {
			t.Errorf("got %v", got)
		}
		if err != nil && child.ExitOf(got).ExitStatus() != 3 {
			t.Errorf("got %v, and we %v", got, err)
		}
	})
	t.Run("for any process", func(t *testing.T) {
		if got := play(t, nil, thief); got != "seen" {
			t.Errorf("got %s", got)
		}
	})
}

// thief is a program that waits for any process beside the library.
var thief = addRole("thief", func([]string) {
	go func() {
		for {
			_, _ = syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		}
	}()
	for range 60 {
		err := process.Command{Path: "sh", Args: []string{"-c", "exit 3"}}.Serve(context.Background())
		if !errors.Is(err, process.ErrStatusLost) && child.ExitOf(err).ExitStatus() != 3 {
			fmt.Println("got", err)
			os.Exit(1)
		}
	}
	fmt.Println("seen")
})

func TestAProcessThatExecutesAnotherProgramIsTheSame(t *testing.T) {
	var out lines
	r := serving(t, shell(t, "echo $$; exec sleep 300", &out))
	await(t, &out, fmt.Sprintln(r.PID()))
	if !r.Alive() {
		t.Error("it was taken for dead")
	}
	if err := r.ended(); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestAProgramThatForksHasEndedWithItsFirstProcess(t *testing.T) {
	var out lines
	within(t, 10*time.Second, "the end", func() {
		if err := shell(t, "(sleep 300) & echo forked", &out).Serve(t.Context()); err != nil {
			t.Errorf("got %v", err)
		}
	})
	if out.String() != "forked\n" {
		t.Errorf("got %q", out.String())
	}
}
