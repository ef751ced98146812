//go:build unix

package process

import (
	"bytes"
	"errors"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// newline is our end of the pipe on which a program says by a newline that it
// is ready.
type newline struct {
	signs *signs

	mu     sync.Mutex // protects what follows
	watch  *watch
	fd     int
	closed bool
}

// connectSign makes the pipe for a sign, as the process's descriptor of that
// number.
func (w *wiring) connectSign(number int) error {
	if number == 0 {
		return nil
	}
	var ends [2]int
	if err := pipe2(ends[:]); err != nil {
		return err
	}
	w.ends = append(w.ends, ends[1])
	w.newline = &newline{signs: w.signs, fd: ends[0]}
	for len(w.files) < number {
		w.files = append(w.files, -1)
	}
	w.files = append(w.files, ends[1])
	return unix.SetNonblock(ends[0], true)
}

// follow begins to wait for the sign.
func (n *newline) follow() (err error) {
	if n == nil {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.watch, err = theOne.add(n.fd, n.ready)
	return err
}

// ready is called by the poller. It does not block.
func (n *newline) ready() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.read(); !n.closed {
		theOne.arm(n.watch)
	}
}

// read takes what there is. After the newline, or the end, nothing is read any
// more.
func (n *newline) read() {
	var buf [64]byte
	for !n.closed {
		got, err := readOnce(n.fd, buf[:])
		switch {
		case errors.Is(err, syscall.EAGAIN):
			return
		case err != nil || got <= 0:
			n.close()
		case bytes.IndexByte(buf[:got], '\n') >= 0:
			n.signs.take(newlineSign)
			n.close()
		}
	}
}

// collect ends it, with what lies in the pipe.
func (n *newline) collect() {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.read()
	n.close()
}

// abandon closes the pipe of a process that did not start.
func (n *newline) abandon() {
	if n != nil {
		n.close()
	}
}

func (n *newline) close() {
	if !n.closed {
		n.closed = true
		theOne.remove(n.watch)
		_ = syscall.Close(n.fd)
	}
}
