//go:build unix

package process

import (
	"errors"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// A pipe is our end of a stream. The poller tells when there is something to
// read; one goroutine at a time reads it then. Another one, that of Serve, ends
// it by collecting what is left.
type pipe struct {
	watch *watch
	buf   *[]byte // of the reader, from buffers; nil while nobody reads

	mu      sync.Mutex // protects what follows, and makes each read one step
	fd      int
	over    bool   // nothing is read any more
	reading bool   // somebody reads, or is about to
	rest    []byte // what lay in the pipe when it was over
}

// buffers lends memory to those who read, so that a stream that is silent has
// none.
var buffers = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

// follow has run called, in a goroutine, whenever there is something to read.
func (p *pipe) follow(run func()) (err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watch, err = theOne.add(p.fd, func() {
		if p.begin() {
			go run()
		}
	})
	return err
}

// begin makes the caller the reader.
func (p *pipe) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over || p.reading {
		return false
	}
	p.reading = true
	return true
}

// read returns what there is; it is valid until the next call. Nothing means
// that the reader is to go: either until there is more to read, or, if over,
// for ever. After the end of the stream, or collect, it hands out the rest.
func (p *pipe) read() (b []byte, over bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over {
		if n := p.try(); n > 0 {
			return (*p.buf)[:n], false
		}
	}
	p.release()
	if !p.over {
		p.reading = false
		theOne.arm(p.watch)
		return nil, false
	}
	b, p.rest = p.rest, nil
	return b, len(b) == 0
}

// try reads without waiting. The end of the stream makes it over.
func (p *pipe) try() int {
	if p.buf == nil {
		p.buf = buffers.Get().(*[]byte)
	}
	n, err := readOnce(p.fd, *p.buf)
	if n > 0 {
		return n
	}
	if !errors.Is(err, syscall.EAGAIN) {
		p.close()
	}
	return 0
}

func (p *pipe) release() {
	if p.buf != nil {
		buffers.Put(p.buf)
		p.buf = nil
	}
}

// collect ends the stream. What lies in the pipe now is kept, and exactly that:
// whoever else still writes into it is not waited for. It does not matter what
// the reader is doing. It reports whether the caller is to see to a reader,
// because there is none.
func (p *pipe) collect() (unread bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over {
		p.rest = drain(p.fd)
		p.close()
	}
	unread = !p.reading
	p.reading = true
	return unread
}

// abandon closes the pipe of a process that did not start.
func (p *pipe) abandon() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.close()
}

func (p *pipe) close() {
	if !p.over {
		p.over = true
		theOne.remove(p.watch)
		_ = syscall.Close(p.fd)
	}
}

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
