package notify

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestEveryFieldOfTheListIsDeliveredInTheOrderOfSending(t *testing.T) {
	e := listen(t, os.Getuid(), everybody)
	run(t, process(t, e.Path(), "send",
		"READY=1\nSTATUS=serving", "RELOADING=1\nMONOTONIC_USEC=7", "STOPPING=1", "STATUS=", "WATCHDOG=1",
		"WATCHDOG=trigger", "WATCHDOG_USEC=9", "EXTEND_TIMEOUT_USEC=11", "ERRNO=2"))
	want := []Message{
		{Fields: Ready | Status, Status: "serving"},
		{Fields: Reloading | Monotonic, Monotonic: 7 * time.Microsecond},
		{Fields: Stopping},
		{Fields: Status},
		{Fields: Beat},
		{Fields: Trigger},
		{Fields: Watchdog, Watchdog: 9 * time.Microsecond},
		{Fields: Extend, Extend: 11 * time.Microsecond},
		{Fields: Errno, Errno: syscall.ENOENT},
	}
	for i, w := range want {
		if got := e.next(t); got != w {
			t.Errorf("message %d: got %+v, want %+v", i, got, w)
		}
	}
	wantCounters(t, e.served, Counters{Taken: uint64(len(want))})
}

func TestAStrangerIsRefusedAndCounted(t *testing.T) {
	child := newLeader()
	e := listen(t, os.Getuid(), child.member)
	child.is(hold(t, e.Path(), "STATUS=of the child"))
	if got := e.next(t); got.Status != "of the child" {
		t.Fatalf("got %+v", got)
	}
	hold(t, e.Path(), "STATUS=of a stranger", "STOPPING=1")
	if got := e.all(t); len(got) != 0 {
		t.Errorf("a stranger was heard: %+v", got)
	}
	// The barrier comes from a stranger, too, and falls all the same.
	wantCounters(t, e.served, Counters{Taken: 1, Refused: 3})
}

func TestAnotherUserIsRefusedAndCounted(t *testing.T) {
	needRoot(t)
	e := listen(t, nobody, everybody)
	run(t, process(t, e.Path(), "turn", "READY=1"))
	run(t, asUser(t, process(t, e.Path(), "send", "STATUS=of the child's user"), nobody))
	run(t, process(t, e.Path(), "send", "STATUS=of our user"))
	got := e.all(t)
	if len(got) != 2 || got[0].Status != "of the child's user" || got[1].Status != "of our user" {
		t.Errorf("got %+v", got)
	}
	wantCounters(t, e.served, Counters{Taken: 3, Refused: 1})
}

func TestAProcessOfAnotherUserReachesItsOwnSocketAndNoOther(t *testing.T) {
	needRoot(t)
	own, foreign := listen(t, os.Getuid(), everybody), listen(t, nobody, everybody)
	run(t, asUser(t, process(t, foreign.Path(), "send", "READY=1"), nobody))
	if got := foreign.next(t); got.Fields != Ready {
		t.Errorf("got %+v", got)
	}
	for name, cmd := range map[string]struct {
		path string
		uid  uint32
	}{
		"a process of another user at ours":       {own.Path(), nobody},
		"a third user's at that of another user":  {foreign.Path(), somebody},
		"a third user's at ours":                  {own.Path(), somebody},
		"even where it could look up where it is": {foreign.Path(), somebody},
	} {
		refused := asUser(t, process(t, cmd.path, "send", "READY=1"), cmd.uid)
		refused.Stderr = nil
		if err := refused.Run(); err == nil {
			t.Error(name + " was let in")
		}
	}
	for _, uid := range []uint32{nobody, somebody} {
		run(t, asUser(t, process(t, "", "meddle", foreign.Path()), uid))
		run(t, asUser(t, process(t, "", "meddle", own.Path()), uid))
	}
	wantCounters(t, own.served, Counters{})
	wantCounters(t, foreign.served, Counters{Taken: 1})
}

func TestTheDirectoryIsOursAlone(t *testing.T) {
	e := listen(t, os.Getuid(), members())
	for path, want := range map[string]os.FileMode{
		filepath.Dir(e.Path()): os.ModeDir | 0o700,
		e.Path():               os.ModeSocket | 0o600,
	} {
		info, err := os.Stat(path)
		if err != nil || info.Mode() != want {
			t.Errorf("%s: got %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
}

func TestASenderThatHasEndedAlreadyIsHeard(t *testing.T) {
	busy := make(chan struct{})
	var heard []string
	s := open(t, Options{UID: os.Getuid(), Member: members(os.Getpid()), Deliver: func(m Message) {
		<-busy
		heard = append(heard, m.Status)
	}})
	speak(t, s.Path(), "STATUS=first")
	run(t, process(t, s.Path(), "send", "STATUS=reaped"))
	ended(t, s.Path(), "STATUS=a zombie")
	close(busy)
	awaitBarrier(t, barrier(t, s.Path()))
	s.Close()
	if got := strings.Join(heard, ", "); got != "first, reaped, a zombie" {
		t.Errorf("got %s", got)
	}
}

func TestAMainProcessIsTakenOnlyWhileItLivesAndIsAMemberAndItIsPinned(t *testing.T) {
	child := hold(t, os.DevNull)
	pid, zombie, stranger := child.Process.Pid, ended(t, ""), hold(t, os.DevNull).Process.Pid
	before := descriptors(t)
	e := listen(t, os.Getuid(), members(os.Getpid(), pid, zombie))
	speak(t, e.Path(),
		"MAINPID="+strconv.Itoa(stranger),
		"READY=1\nMAINPID="+strconv.Itoa(zombie),
		"MAINPID="+strconv.Itoa(pid)+"\nSTATUS=moved")
	if got := e.next(t); got != (Message{Fields: Ready}) {
		t.Errorf("got %+v, want the rest of the datagram", got)
	}
	got := e.next(t)
	if got.Fields != MainPID|Status || got.MainPID != pid || got.Main == nil {
		t.Fatalf("got %+v", got)
	}
	defer got.Main.Close()
	wantCounters(t, e.served, Counters{Taken: 3, Refused: 2})

	raw, err := got.Main.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = got.Main.SetReadDeadline(time.Now().Add(patience))
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := raw.Read(func(fd uintptr) bool { return isOver(int(fd)) }); err != nil {
		t.Errorf("the end of the main process does not show: %v", err)
	}
	_ = got.Main.Close()
	e.Close()
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors became %d", before, after)
	}
}

func TestABarrierFallsWhenEverythingBeforeItWasDelivered(t *testing.T) {
	busy, delivered := make(chan struct{}), atomic.Int32{}
	s := open(t, Options{UID: os.Getuid(), Member: members(os.Getpid()), Deliver: func(Message) {
		<-busy
		delivered.Add(1)
	}})
	speak(t, s.Path(), "READY=1", "STATUS=x", "STATUS=y")
	r := barrier(t, s.Path())
	_ = r.SetReadDeadline(time.Unix(1, 0))
	raw, err := r.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.Control(func(fd uintptr) {
		if n, err := syscall.Read(int(fd), make([]byte, 1)); !errors.Is(err, syscall.EAGAIN) {
			t.Errorf("the barrier has fallen before: %d, %v", n, err)
		}
	})
	close(busy)
	awaitBarrier(t, r)
	if n := delivered.Load(); n != 3 {
		t.Errorf("%d of 3 messages were delivered when it fell", n)
	}
}

func TestNoDescriptorThatIsSentStaysOpen(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	fds := make([]int, 253) // as many as one datagram can carry
	for i := range fds {
		fds[i] = int(w.Fd())
	}
	before := descriptors(t)
	e := listen(t, os.Getuid(), members(os.Getpid()))
	for _, datagram := range []string{"BARRIER=1", "READY=1", "FDSTORE=1\nFDNAME=x", "", strings.Repeat("x", 2*maxDatagram)} {
		for n := range fds[:8] {
			send(t, e.Path(), datagram, fds[:1+n*36])
		}
	}
	e.all(t)
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors became %d", before, after)
	}
	_ = w.Close()
	if _, err := r.Read(make([]byte, 1)); err == nil {
		t.Error("somebody still holds the pipe")
	}
}

func TestADatagramThatIsTooLongOrNotUnderstoodHarmsNothing(t *testing.T) {
	e := listen(t, os.Getuid(), members(os.Getpid()))
	exact := "READY=1\nSTATUS=" + strings.Repeat("a", maxDatagram-len("READY=1\nSTATUS="))
	speak(t, e.Path(), exact+"a", strings.Repeat("READY=1\n", 12_500), "", "?", "READY=", "X=1\nSTOPPING=1", exact, "WATCHDOG=1")
	got := e.all(t)
	if len(got) != 3 || got[0].Fields != Stopping || !got[1].Has(Ready|Status) || got[2].Fields != Beat {
		t.Errorf("got %+v", got)
	}
	wantCounters(t, e.served, Counters{Taken: 4, Truncated: 2, Unknown: 4})
}

func TestFourThatFloodCostASiblingNothing(t *testing.T) {
	floods := map[string]string{
		"of beats": "WATCHDOG=1", "of nonsense": "?", "of long ones": strings.Repeat("x", 2*maxDatagram),
		"of states": "STATUS=" + strings.Repeat("\x1b", 4000),
	}
	var throttled sync.WaitGroup
	sockets := map[string]*served{}
	began := time.Now()
	for name, datagram := range floods {
		child := newLeader()
		s := open(t, Options{UID: os.Getuid(), Member: child.member, Deliver: func(Message) {}})
		sockets[name] = s
		cmd := process(t, s.Path(), "flood", datagram)
		cmd.Stderr = nil
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		child.is(cmd)
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		throttled.Go(func() {
			for s.Counters().Throttled == 0 && time.Since(began) < patience {
				runtime.Gosched()
			}
		})
	}
	throttled.Wait()
	e := listen(t, os.Getuid(), members(os.Getpid()))
	for range 50 {
		if err := sendFlags(e.Path(), "WATCHDOG=1", nil, unix.MSG_DONTWAIT); err != nil {
			t.Fatal(err)
		}
		e.next(t)
	}
	wantCounters(t, e.served, Counters{Taken: 50})
	for name, s := range sockets {
		c := s.Counters()
		read := c.Taken + c.Refused + c.Truncated + c.Unknown
		if most := PerSecond * uint64(time.Since(began).Seconds()+1); read > most || c.Throttled == 0 {
			t.Errorf("the flood %s: %d were read, at most %d may be: %+v", name, read, most, c)
		}
		s.Close() // while it is flooded
	}
	wantNoDirectory(t, sockets["of beats"].Path())
}

func wantNoDirectory(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(filepath.Dir(path)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left: %v", filepath.Dir(path), err)
	}
}

func TestCloseDeliversWhatWasSentBeforeAndLeavesNothingBehind(t *testing.T) {
	before := descriptors(t)
	busy := make(chan struct{})
	var heard []string
	s := open(t, Options{UID: os.Getuid(), Member: members(os.Getpid()), Deliver: func(m Message) {
		<-busy
		heard = append(heard, m.Status)
	}})
	speak(t, s.Path(), "STATUS=1", "STATUS=2", "STATUS=3", "STATUS=4", "STATUS=5")
	go func() {
		<-s.stop
		close(busy)
	}()
	s.Close()
	if got := strings.Join(heard, ""); got != "12345" {
		t.Errorf("got %s", got)
	}
	s.Close()
	wantNoDirectory(t, s.Path())
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors became %d", before, after)
	}
}
