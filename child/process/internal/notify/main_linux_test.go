package notify

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// role makes the test binary a process that notifies.
const role = "NOTIFY_TEST_ROLE"

// nobody and somebody are users that own nothing here.
const nobody, somebody = 65534, 65533

// patience is for what takes no time unless it never happens.
const patience = 20 * time.Second

func TestMain(m *testing.M) {
	if play, ok := roles[os.Getenv(role)]; ok {
		if err := play(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// roles are what a process can do with its arguments.
var roles = map[string]func(args []string) error{
	// send sends each argument and ends.
	"send": sendAll,
	// hold sends each argument and lives until its input ends.
	"hold": func(args []string) error {
		err := sendAll(args)
		fmt.Println("sent")
		_, _ = io.Copy(io.Discard, os.Stdin)
		return err
	},
	// turn connects, becomes another user, and sends.
	"turn": func(args []string) error {
		conn, err := dial()
		if err == nil {
			err = syscall.Setuid(somebody)
		}
		if err == nil {
			_, err = conn.Write([]byte(args[0]))
		}
		return err
	},
	// flood sends its argument until it is killed.
	"flood": func(args []string) error {
		conn, err := dial()
		for err == nil {
			_, err = conn.Write([]byte(args[0]))
		}
		return err
	},
	// meddle tries what nobody must be able to do with a socket.
	"meddle": func(args []string) error {
		dir := filepath.Dir(args[0])
		_, listed := os.ReadDir(dir)
		for what, err := range map[string]error{
			"list": listed, "remove": os.Remove(args[0]), "give": os.Chown(args[0], somebody, -1),
			"add": os.WriteFile(filepath.Join(dir, "x"), nil, 0o600), "open": os.Chmod(dir, 0o777),
		} {
			if !errors.Is(err, os.ErrPermission) {
				return fmt.Errorf("%s: %v", what, err)
			}
		}
		return nil
	},
}

func sendAll(datagrams []string) error {
	for _, datagram := range datagrams {
		conn, err := dial()
		if err != nil {
			return err
		}
		if _, err := conn.Write([]byte(datagram)); err != nil {
			return err
		}
	}
	return nil
}

func dial() (*net.UnixConn, error) {
	return net.DialUnix("unixgram", nil, &net.UnixAddr{Net: "unixgram", Name: os.Getenv(SocketVariable)})
}

// process is the test binary in a role, in a group of its own, with the given
// socket.
func process(t *testing.T, path, as string, args ...string) *exec.Cmd {
	t.Helper()
	// Not by its path: another user may not be able to follow that.
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", args...)
	cmd.Env = append(Environ(path, 0), role+"="+as, "GORACE=atexit_sleep_ms=0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stderr = t.Output()
	return cmd
}

// asUser runs cmd as another user.
func asUser(t *testing.T, cmd *exec.Cmd, uid uint32) *exec.Cmd {
	t.Helper()
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: uid}
	return cmd
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can start a process of another user")
	}
}

// hold starts a process that has sent datagrams and lives until the test ends.
func hold(t *testing.T, path string, datagrams ...string) *exec.Cmd {
	t.Helper()
	cmd := process(t, path, "hold", datagrams...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	if _, err := io.ReadFull(out, make([]byte, len("sent\n"))); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// ear is a socket and what it has heard.
type ear struct {
	*served
	heard chan Message
}

// members decides by the numbers of processes.
func members(pids ...int) func(int) bool {
	return func(pid int) bool { return slices.Contains(pids, pid) }
}

// leader is a child as a supervisor sees it: a process and its group. A datagram
// may come before the one who has started the process knows its number.
type leader struct {
	known chan struct{}
	pid   int
}

func newLeader() *leader { return &leader{known: make(chan struct{})} }

func (l *leader) is(cmd *exec.Cmd) {
	l.pid = cmd.Process.Pid
	close(l.known)
}

func (l *leader) member(pid int) bool {
	<-l.known
	pgid, err := unix.Getpgid(pid)
	return err == nil && pgid == l.pid
}

func listen(t *testing.T, uid int, member func(int) bool) *ear {
	t.Helper()
	e := &ear{heard: make(chan Message, 1000)}
	e.served = open(t, Options{UID: uid, Member: member, Deliver: func(m Message) { e.heard <- m }})
	return e
}

// served is a socket that somebody reads.
type served struct {
	*Socket
	stop, done chan struct{}
	once       sync.Once
}

func open(t *testing.T, o Options) *served {
	t.Helper()
	s, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	r := &served{Socket: s, stop: make(chan struct{}), done: make(chan struct{})}
	go r.read()
	t.Cleanup(r.Close)
	return r
}

// read reads as the poller of a program does.
func (s *served) read() {
	defer close(s.done)
	for {
		select {
		case <-s.stop:
			return
		case <-time.After(s.Read()):
		}
		const millisecond = 1
		_, _ = unix.Poll([]unix.PollFd{{Fd: int32(s.FD()), Events: unix.POLLIN}}, millisecond)
	}
}

func (s *served) Close() {
	s.once.Do(func() { close(s.stop) })
	<-s.done
	s.Socket.Close()
}

// next is the next message that was heard.
func (e *ear) next(t *testing.T) Message {
	t.Helper()
	select {
	case m := <-e.heard:
		return m
	case <-time.After(patience):
		t.Fatalf("nothing was heard: %+v", e.Counters())
		return Message{}
	}
}

// all is what was heard of the datagrams that are sent by now. It closes the
// socket, so that all of them are counted, too.
func (e *ear) all(t *testing.T) []Message {
	t.Helper()
	awaitBarrier(t, barrier(t, e.Path()))
	e.Close()
	var all []Message
	for {
		select {
		case m := <-e.heard:
			all = append(all, m)
		default:
			return all
		}
	}
}

// speak sends datagrams from this process.
func speak(t *testing.T, path string, datagrams ...string) {
	t.Helper()
	for _, datagram := range datagrams {
		send(t, path, datagram, nil)
	}
}

func send(t *testing.T, path, datagram string, fds []int) {
	t.Helper()
	if err := sendFlags(path, datagram, fds, 0); err != nil {
		t.Fatal(err)
	}
}

func sendFlags(path, datagram string, fds []int, flags int) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	return unix.Sendmsg(fd, []byte(datagram), rights, &unix.SockaddrUnix{Name: path}, flags)
}

// everybody is a child that every process is of.
func everybody(int) bool { return true }

// barrier sends a barrier and returns a pipe that ends when it falls.
func barrier(t *testing.T, path string) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	send(t, path, "BARRIER=1", []int{int(w.Fd())})
	_ = w.Close()
	return r
}

func awaitBarrier(t *testing.T, r *os.File) {
	t.Helper()
	_ = r.SetReadDeadline(time.Now().Add(patience))
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Fatalf("the barrier does not fall: %v", err)
	}
	_ = r.Close()
}

func wantCounters(t *testing.T, s *served, want Counters) {
	t.Helper()
	got := s.Counters()
	got.Throttled = want.Throttled // which depends on how fast the machine is
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// descriptors is how many this process has.
func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("/proc does not tell: ", err)
	}
	return len(entries)
}

// ended starts a process that sends datagrams, and leaves it a zombie until the
// test ends.
func ended(t *testing.T, path string, datagrams ...string) int {
	t.Helper()
	cmd := process(t, path, "send", datagrams...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() })
	for {
		err := unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err == nil {
			return cmd.Process.Pid
		}
		if !errors.Is(err, unix.EINTR) {
			t.Fatal(err)
		}
	}
}

func run(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
}
