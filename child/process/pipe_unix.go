//go:build unix

package process

import (
	"errors"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// A pipe is our end of a stream. One goroutine reads it; another one, that of
// Serve, ends it by collecting what is left.
type pipe struct {
	file *os.File
	raw  syscall.RawConn
	buf  *[]byte // of the reader, from buffers; nil while it waits

	mu   sync.Mutex // protects what follows, and makes each read one step
	over bool       // nothing is read any more
	rest []byte     // what lay in the pipe when it was over
}

// buffers lends memory to the pipes that have something to read, so that one
// that is silent has none.
var buffers = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

func (p *pipe) init(file *os.File) (err error) {
	p.file = file
	p.raw, err = file.SyscallConn()
	return err
}

// read waits for bytes and returns them; they are valid until the next call.
// After the end of the stream, or collect, it hands out the rest, once.
func (p *pipe) read() (b []byte, ok bool) {
	p.release()
	n := 0
	err := p.raw.Read(func(fd uintptr) bool {
		n = p.try(int(fd))
		return n >= 0
	})
	if err == nil && n > 0 {
		return (*p.buf)[:n], true
	}
	p.release()
	p.mu.Lock()
	defer p.mu.Unlock()
	b, p.rest = p.rest, nil
	return b, len(b) > 0
}

// try reads without waiting. It returns -1 if there is nothing yet, and 0 at
// the end.
func (p *pipe) try(fd int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return 0
	}
	if p.buf == nil {
		p.buf = buffers.Get().(*[]byte)
	}
	n, err := readOnce(fd, *p.buf)
	if errors.Is(err, syscall.EAGAIN) {
		p.release()
		return -1
	}
	return max(n, 0)
}

func (p *pipe) release() {
	if p.buf != nil {
		buffers.Put(p.buf)
		p.buf = nil
	}
}

// collect ends the reading. What lies in the pipe now is kept, and exactly
// that: whoever else still writes into it is not waited for. It does not
// matter what the reader is doing.
func (p *pipe) collect() {
	p.mu.Lock()
	_ = p.raw.Control(func(fd uintptr) { p.rest = drain(int(fd)) })
	p.over = true
	p.mu.Unlock()
	p.close()
}

// close wakes a reader that waits.
func (p *pipe) close() { _ = p.file.Close() }

// drain reads the bytes that lie in a pipe at the moment.
func drain(fd int) []byte {
	n, err := unix.IoctlGetInt(fd, fionread)
	if err != nil || n <= 0 {
		return nil
	}
	b := make([]byte, n)
	got := 0
	for got < n {
		m, err := readOnce(fd, b[got:])
		if err != nil || m <= 0 {
			break
		}
		got += m
	}
	return b[:got]
}

func readOnce(fd int, b []byte) (n int, err error) {
	for {
		n, err = syscall.Read(fd, b)
		if !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}
