package process

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// poller watches the descriptors of all processes of this program: one epoll
// instance, itself in Go's poller, and one goroutine that asks it. So no
// goroutine waits for a pipe and no thread for a process. It exists while
// something is watched.
//
// A descriptor is armed for one readiness at a time. What is to be done then
// is called in the poller's goroutine and must not block.
type poller struct {
	mu      sync.Mutex // protects what follows
	epoll   *os.File   // nil while nothing is watched
	fd      int        // of epoll
	watched map[uint32]*watch
	closing bool   // a look at whether it is idle is to come
	last    uint32 // the newest key
}

// theOne is the poller of the program.
var theOne poller

// A watch is one descriptor that is watched. Its descriptor stays open until
// it has been removed.
type watch struct {
	fd    int
	key   uint32 // never used again soon, so that a late event finds nobody
	ready func()
}

// add watches fd, which is armed, and calls ready when it can be read, has
// come to its end or has failed.
func (p *poller) add(fd int, ready func()) (*watch, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.epoll == nil {
		if err := p.open(); err != nil {
			return nil, err
		}
	}
	for p.last++; p.watched[p.last] != nil; p.last++ {
	}
	w := &watch{fd: fd, key: p.last, ready: ready}
	event := w.event()
	if err := unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		p.rest()
		return nil, err
	}
	p.watched[w.key] = w
	return w, nil
}

func (w *watch) event() unix.EpollEvent {
	return unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT, Fd: int32(w.key)}
}

// arm watches for the next readiness, after one has been told.
func (p *poller) arm(w *watch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.watched[w.key] == w {
		event := w.event()
		_ = unix.EpollCtl(p.fd, unix.EPOLL_CTL_MOD, w.fd, &event) // it is in there
	}
}

// remove ends the watch. A call of ready may still be under way.
func (p *poller) remove(w *watch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w == nil || p.watched[w.key] != w {
		return
	}
	_ = unix.EpollCtl(p.fd, unix.EPOLL_CTL_DEL, w.fd, nil) // it is in there
	delete(p.watched, w.key)
	p.rest()
}

func (p *poller) open() error {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	if err := syscall.SetNonblock(fd, true); err != nil { // or os does not hand it to Go's poller
		_ = syscall.Close(fd)
		return err
	}
	p.fd, p.epoll, p.watched = fd, os.NewFile(uintptr(fd), "epoll"), map[uint32]*watch{}
	go p.poll(p.epoll)
	return nil
}

// linger is how long what serves all processes outlives the last of them: a
// process that is restarted finds it there.
const linger = 50 * time.Millisecond

// rest arranges the end of an instance that has nothing to watch. Its caller
// holds the lock.
func (p *poller) rest() {
	if len(p.watched) == 0 && !p.closing {
		p.closing = true
		time.AfterFunc(linger, p.closeIdle)
	}
}

// closeIdle ends the goroutine if nothing is watched.
func (p *poller) closeIdle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closing = false
	if len(p.watched) == 0 && p.epoll != nil {
		_ = p.epoll.Close()
		p.epoll = nil
	}
}

// poll tells of readiness until the instance is closed.
func (p *poller) poll(epoll *os.File) {
	raw, err := epoll.SyscallConn()
	if err != nil {
		return // it has been closed already
	}
	events := make([]unix.EpollEvent, 128)
	for {
		n := 0
		err := raw.Read(func(fd uintptr) bool {
			var err error
			n, err = unix.EpollWait(int(fd), events, 0)
			return n > 0 || err != nil && !errors.Is(err, unix.EINTR)
		})
		if err != nil {
			return
		}
		p.tell(events[:max(n, 0)])
	}
}

// tell calls those whose descriptor is ready, without the lock: they may ask
// for more.
func (p *poller) tell(events []unix.EpollEvent) {
	for i := range events {
		p.mu.Lock()
		w := p.watched[uint32(events[i].Fd)]
		p.mu.Unlock()
		if w != nil {
			w.ready()
		}
	}
}
