//go:build unix && !linux

package process

import (
	"errors"
	"sync"

	"golang.org/x/sys/unix"
)

// poller watches the pipes of all processes of this program in one goroutine,
// and with it one thread, by poll. It exists while something is watched. See
// its sibling for Linux.
type poller struct {
	mu      sync.Mutex // protects what follows
	watched map[*watch]struct{}
	wake    [2]int // a pipe that interrupts the goroutine; both 0 while there is none
}

var theOne poller

// A watch is one descriptor that is watched. Its descriptor stays open until
// it has been removed.
type watch struct {
	fd    int
	armed bool // protected by the poller's lock
	ready func()
}

// add watches fd, which is armed, and calls ready when it can be read, has
// come to its end or has failed.
func (p *poller) add(fd int, ready func()) (*watch, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.watched == nil {
		if err := p.open(); err != nil {
			return nil, err
		}
	}
	w := &watch{fd: fd, armed: true, ready: ready}
	p.watched[w] = struct{}{}
	p.interrupt()
	return w, nil
}

// arm watches for the next readiness, after one has been told.
func (p *poller) arm(w *watch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.watched[w]; ok {
		w.armed = true
		p.interrupt()
	}
}

// remove ends the watch. A call of ready may still be under way.
func (p *poller) remove(w *watch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.watched[w]; ok {
		delete(p.watched, w)
		p.interrupt()
	}
}

func (p *poller) open() error {
	var ends [2]int
	if err := pipe2(ends[:]); err != nil {
		return err
	}
	_ = unix.SetNonblock(ends[1], true)
	p.wake, p.watched = ends, map[*watch]struct{}{}
	go p.poll(ends[0])
	return nil
}

// interrupt has the goroutine look again at what is watched.
func (p *poller) interrupt() { _, _ = unix.Write(p.wake[1], []byte{0}) }

// poll tells of readiness until nothing is watched.
func (p *poller) poll(wake int) {
	for {
		fds, watches := p.armed(wake)
		if fds == nil {
			return
		}
		if _, err := unix.Poll(fds, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return // there is no such error but by a fault of ours
		}
		if fds[0].Revents != 0 {
			_, _ = unix.Read(wake, make([]byte, 256))
		}
		for i, w := range watches {
			if fds[i+1].Revents != 0 && p.disarm(w) {
				w.ready()
			}
		}
	}
}

// armed is what poll is to look at: the interruption first. It closes an idle
// poller and is nil then.
func (p *poller) armed(wake int) (fds []unix.PollFd, watches []*watch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.watched) == 0 {
		_, _ = unix.Close(p.wake[0]), unix.Close(p.wake[1])
		p.watched = nil
		return nil, nil
	}
	fds = append(fds, unix.PollFd{Fd: int32(wake), Events: unix.POLLIN})
	for w := range p.watched {
		if w.armed {
			fds = append(fds, unix.PollFd{Fd: int32(w.fd), Events: unix.POLLIN})
			watches = append(watches, w)
		}
	}
	return fds, watches
}

func (p *poller) disarm(w *watch) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.watched[w]
	w.armed = false
	return ok
}
