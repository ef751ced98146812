//go:build unix

package process

import (
	"context"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// A wiring is what a process is connected to.
type wiring struct {
	files   []int // what the process gets as its descriptors 0, 1, 2, ...
	ends    []int // those of files that we close once the process has them
	pumps   []*pump
	input   *os.File // our end of its standard input, if it is piped
	streams map[string]net.Conn
	journal journal
	signs   *signs   // of a start that is complete
	newline *newline // is one of them; nil if there is none
}

// wire opens what c needs. After an error nothing is open.
func wire(ctx context.Context, c Command) (*wiring, error) {
	w := &wiring{signs: newSigns(c)}
	w.journal.signs = w.signs
	if err := w.open(ctx, c); err != nil {
		w.closeEnds()
		w.abandon()
		return nil, err
	}
	return w, nil
}

func (w *wiring) open(ctx context.Context, c Command) error {
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	w.ends = append(w.ends, null)
	for _, connect := range []func() (int, error){
		func() (int, error) { return w.connectInput(c.Stdin, null) },
		func() (int, error) { return w.connect(ctx, c.Stdout, 0, null) },
		func() (int, error) {
			if c.Stdout.shares(c.Stderr) {
				return w.files[1], nil
			}
			return w.connect(ctx, c.Stderr, 1, null)
		},
	} {
		fd, err := connect()
		if err != nil {
			return err
		}
		w.files = append(w.files, fd)
	}
	return w.further(c)
}

func (w *wiring) connectInput(in Input, null int) (int, error) {
	switch in.From {
	case Empty:
		return null, nil
	case Ours:
		return 0, nil
	}
	var ends [2]int
	if err := pipe2(ends[:]); err != nil {
		return 0, err
	}
	w.ends = append(w.ends, ends[0])
	if err := unix.SetNonblock(ends[1], true); err != nil {
		_ = syscall.Close(ends[1])
		return 0, err
	}
	w.input = os.NewFile(uintptr(ends[1]), "stdin")
	return ends[0], nil
}

// connect is the process's end of one stream, with a pump at ours if the lines
// come to us.
func (w *wiring) connect(ctx context.Context, o Output, index, null int) (int, error) {
	switch o.To {
	case Inherit:
		return index + 1, nil
	case Discard:
		return null, nil
	}
	var ends [2]int
	if err := pipe2(ends[:]); err != nil {
		return 0, err
	}
	w.ends = append(w.ends, ends[1])
	p := newPump(ctx, o, index, &w.journal)
	p.pipe.fd = ends[0]
	w.pumps = append(w.pumps, p)
	return ends[1], unix.SetNonblock(ends[0], true)
}

// further adds the sockets and the streams.
func (w *wiring) further(c Command) error {
	for _, s := range c.Sockets {
		fd, err := descriptor(s.File)
		if err != nil {
			return err
		}
		w.files = append(w.files, fd)
	}
	for _, s := range c.Streams {
		connect := func() (int, error) { return w.pair(s.Name) }
		if s.File != nil {
			connect = func() (int, error) { return descriptor(s.File) }
		}
		fd, err := connect()
		if err != nil {
			return err
		}
		w.files = append(w.files, fd)
	}
	return w.connectSign(c.Ready.Descriptor)
}

// descriptor is the number of an open file. Fd would make it block, and with
// it every duplicate, as the one that a listener accepts from.
func descriptor(file *os.File) (fd int, err error) {
	raw, err := file.SyscallConn()
	if err != nil {
		return 0, err
	}
	err = raw.Control(func(n uintptr) { fd = int(n) })
	return fd, err
}

// pair makes a stream with an end of ours.
func (w *wiring) pair(name string) (theirs int, err error) {
	ends, err := socketpair()
	if err != nil {
		return 0, err
	}
	w.ends = append(w.ends, ends[1])
	file := os.NewFile(uintptr(ends[0]), name)
	defer file.Close()
	conn, err := net.FileConn(file)
	if err != nil {
		return 0, err
	}
	if w.streams == nil {
		w.streams = map[string]net.Conn{}
	}
	w.streams[name] = conn
	return ends[1], nil
}

// highest is the highest descriptor that was opened.
func (w *wiring) highest() (fd int) {
	for _, end := range w.ends {
		fd = max(fd, end)
	}
	for _, p := range w.pumps {
		fd = max(fd, p.pipe.fd)
	}
	if w.newline != nil {
		fd = max(fd, w.newline.fd)
	}
	return fd
}

// closeEnds closes the process's ends on our side. As long as one is open here
// or has gone to another process, the stream has no end; nothing waits for it.
func (w *wiring) closeEnds() {
	for _, fd := range w.ends {
		_ = syscall.Close(fd) // nothing was written through it
	}
	w.ends = nil
}

// abandon closes our ends, of a process that did not start.
func (w *wiring) abandon() {
	for _, p := range w.pumps {
		p.pipe.abandon()
	}
	w.newline.abandon()
	w.closeOurs()
}

// closeOurs closes our ends of what goes to the process: whoever writes there
// sees an error.
func (w *wiring) closeOurs() {
	if w.input != nil {
		_ = w.input.Close() // what was not read is lost with the process
	}
	for _, conn := range w.streams {
		_ = conn.Close()
	}
}

// follow begins to carry the output.
func (w *wiring) follow() error {
	for _, p := range w.pumps {
		if err := p.pipe.follow(p.run); err != nil {
			return err
		}
	}
	return w.newline.follow()
}

// collect takes what lies in the pipes of a process that has ended, for the
// pumps to deliver, and closes them.
func (w *wiring) collect() {
	for _, p := range w.pumps {
		p.collect()
	}
	w.newline.collect()
	w.closeOurs()
}
