//go:build unix

package systemd

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
)

// service makes the environment of a service whose socket has that name, and
// hears what is told.
func service(t *testing.T, name string) <-chan string {
	t.Helper()
	for _, variable := range []string{"WATCHDOG_PID", "WATCHDOG_USEC"} {
		t.Setenv(variable, "")
	}
	t.Setenv("NOTIFY_SOCKET", name)
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	heard := make(chan string, 100)
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			heard <- string(buf[:n])
		}
	}()
	return heard
}

func next(t *testing.T, heard <-chan string) string {
	t.Helper()
	select {
	case text := <-heard:
		return text
	case <-time.After(20 * time.Second):
		t.Fatal("nothing is told")
		return ""
	}
}

// path is that of a socket, short enough for one.
func path(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "c") //nolint:usetesting // that of a test is too long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "n")
}

func TestPathsAndAbstractNamesAreAddresses(t *testing.T) {
	names := map[string]string{"a path": path(t)}
	if runtime.GOOS == "linux" {
		names["an abstract name"] = "@coppice-test-" + strconv.Itoa(os.Getpid())
	}
	for what, name := range names {
		t.Run(what, func(t *testing.T) {
			heard := service(t, name)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- Run(ctx, quiet, one(child.Func(idle))) }()
			for !strings.Contains(next(t, heard), "READY=1") {
			}
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			for !strings.Contains(next(t, heard), "STATUS=stopped") {
			}
		})
	}
}

func TestAWatchdogOfSystemdsIsFed(t *testing.T) {
	heard := service(t, path(t))
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	t.Setenv("WATCHDOG_USEC", "200000")
	sup, err := quiet.Start(t.Context(), one(child.Func(idle)))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- Notify(sup) }()
	for fed := 0; fed < 5; {
		if strings.Contains(next(t, heard), "WATCHDOG=1") {
			fed++
		}
	}
	_ = sup.Stop(t.Context())
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAWatchdogForAnotherProcessIsLeftAlone(t *testing.T) {
	for _, tt := range []struct {
		pid, text string
		want      time.Duration
		wrong     bool
	}{
		{"", "", 0, false},
		{"", "3000000", 3 * time.Second, false},
		{strconv.Itoa(os.Getpid()), "3000000", 3 * time.Second, false},
		{"1", "3000000", 0, false},
		{"1", "x", 0, false},
		{"", "x", 0, true},
		{"", "0", 0, true},
		{"", "-1", 0, true},
		{"", "18446744073709551615", 9223372036854775 * time.Microsecond, false},
	} {
		t.Setenv("WATCHDOG_PID", tt.pid)
		t.Setenv("WATCHDOG_USEC", tt.text)
		if got, err := watchdog(); got != tt.want || (err != nil) != tt.wrong {
			t.Errorf("%+v: got %v, %v", tt, got, err)
		}
	}
}

func TestWithoutASocketNothingIsDone(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	t.Setenv("WATCHDOG_USEC", "1")
	sup, err := supervisor.New(one(child.Func(idle)))
	if err != nil {
		t.Fatal(err)
	}
	if err := Notify(sup); err != nil { // it has not been served: anything else would wait
		t.Error(err)
	}
}

func TestMistakesInTheEnvironmentAreToldAndHinderNothingElse(t *testing.T) {
	heard := service(t, path(t))
	t.Setenv("WATCHDOG_USEC", "often")
	sup, err := quiet.Start(t.Context(), one(child.Func(idle)))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- Notify(sup) }()
	if got := next(t, heard); !strings.HasPrefix(got, "READY=1") {
		t.Errorf("got %q", got)
	}
	_ = sup.Stop(t.Context())
	if err := <-done; err == nil || !strings.Contains(err.Error(), "WATCHDOG_USEC") {
		t.Errorf("got %v", err)
	}
	for _, wrong := range []string{"relative", "vsock:2:1234"} {
		t.Setenv("NOTIFY_SOCKET", wrong)
		if err := Notify(sup); err == nil || !strings.Contains(err.Error(), "NOTIFY_SOCKET") || strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: got %v", wrong, err)
		}
	}
	gone := path(t)
	t.Setenv("NOTIFY_SOCKET", gone)
	if err := sender(gone)("READY=1"); err == nil || strings.Contains(err.Error(), gone) {
		t.Errorf("nobody listens: got %v", err)
	}
}

func TestRunReturnsWhatSupervisorRunReturns(t *testing.T) {
	service(t, path(t))
	fails := child.Func(func(context.Context) error { return errors.New("no disk") })
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tt := range map[string]struct {
		ctx  context.Context
		spec supervisor.Spec
	}{
		"an invalid spec":         {t.Context(), supervisor.Spec{}},
		"a tree that gives up":    {t.Context(), one(fails)},
		"a context that is over":  {over, one(child.Func(idle))},
		"over and invalid":        {over, supervisor.Spec{}},
		"over, and what gives up": {over, one(fails)},
	} {
		t.Run(name, func(t *testing.T) {
			tt.spec.Intensity.Period = time.Hour // no restart at all
			got, want := Run(tt.ctx, quiet, tt.spec), quiet.Run(tt.ctx, tt.spec)
			if (got == nil) != (want == nil) || supervisor.ExitStatus(got) != supervisor.ExitStatus(want) ||
				got != nil && got.Error() != want.Error() {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestAChildOfAnotherTreeTellsNothing(t *testing.T) {
	heard := service(t, path(t))
	began := make(chan struct{})
	inner := child.Func(func(ctx context.Context) error {
		return Run(ctx, quiet, one(child.Func(func(ctx context.Context) error {
			close(began)
			return idle(ctx)
		})))
	})
	sup, err := quiet.Start(t.Context(), one(inner))
	if err != nil {
		t.Fatal(err)
	}
	<-began
	_ = sup.Stop(t.Context())
	if err := sender(os.Getenv("NOTIFY_SOCKET"))("STATUS=all"); err != nil {
		t.Fatal(err)
	}
	if got := next(t, heard); got != "STATUS=all" {
		t.Errorf("got %q", got)
	}
}
