package probe_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child/probe"
)

const (
	// short is a deadline that is meant to be over.
	short = 150 * time.Millisecond
	// ample is a deadline that is not, on however slow a machine.
	ample = 30 * time.Second
)

// TestMain runs a program first: what the package process then has for good is
// not what a ping leaves behind.
func TestMain(m *testing.M) {
	_ = probe.Exec{Path: "true"}.Ping(context.Background()) // where there is none, none is needed
	os.Exit(m.Run())
}

type ping = func(context.Context) error

// ask asks once, with that much time. The ping has to return, and to leave no
// goroutine behind.
func ask(t *testing.T, timeout time.Duration, p ping) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	return askWith(ctx, t, p)
}

var asked atomic.Int64

func askWith(ctx context.Context, t *testing.T, p ping) error {
	t.Helper()
	const label = "ping"
	number := strconv.FormatInt(asked.Add(1), 10)
	answer := make(chan error, 1)
	go pprof.Do(ctx, pprof.Labels(label, number), func(ctx context.Context) { answer <- p(ctx) })
	select {
	case err := <-answer:
		await(t, "the goroutines of a ping", func() string { return labelled(label, number) })
		return err
	case <-time.After(ample):
		t.Fatal("the ping does not return")
		return nil
	}
}

// labelled is the stacks of the goroutines that have that label.
func labelled(label, number string) string {
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return err.Error()
	}
	want := strconv.Quote(label) + ":" + strconv.Quote(number)
	var found []string
	for stack := range strings.SplitSeq(profile.String(), "\n\n") {
		if strings.Contains(stack, want) {
			found = append(found, stack)
		}
	}
	return strings.Join(found, "\n\n")
}

// await waits until nothing is left of what the system ends in its own time.
func await(t *testing.T, what string, left func() string) {
	t.Helper()
	var last string
	for end := time.Now().Add(ample); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if last = left(); last == "" {
			return
		}
	}
	t.Errorf("%s: left are\n%s", what, last)
}

// listen accepts connections, each of which serve has for as long as it likes:
// it is closed at the end of the test. It reports how many the other side has
// not closed by then.
func listen(t *testing.T, serve func(net.Conn)) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip("it needs the loopback interface: ", err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			go serve(conn)
		}
	}()
	return listener.Addr().String()
}

// mute reads and never says anything.
func mute(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// deaf neither reads nor says anything.
func deaf(net.Conn) {}

// says begins with a text, and goes on with another for ever, one at a time.
func says(first, rest string, pause time.Duration) func(net.Conn) {
	return func(conn net.Conn) {
		_, err := io.WriteString(conn, first)
		for err == nil && rest != "" {
			time.Sleep(pause) // the other side is to run out of time before it has all
			_, err = io.WriteString(conn, rest)
		}
		if err == nil {
			mute(conn)
		}
	}
}

// after serves when a request of HTTP was read: a server that speaks before is
// another failure than the ones that are meant.
func after(serve func(net.Conn)) func(net.Conn) {
	return func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			serve(conn)
		}
	}
}

// closedPort is an address on which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip("it needs the loopback interface: ", err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// script is a probe that runs a script of sh.
func script(t *testing.T, text string, args ...string) probe.Exec {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("it needs a POSIX shell: ", err)
	}
	return probe.Exec{Path: text, Args: args, Shell: true}
}

// wantError checks that err says all of the texts.
func wantError(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("got no error, want one that says %q", texts)
		return
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("got %q, want it to say %q", err, text)
		}
	}
}
