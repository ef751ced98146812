package notify

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// maxDatagram is the longest datagram that is read, as in systemd.
const maxDatagram = 4096

// Socket hears what one process says. It has no goroutine: whoever made it
// watches its descriptor and calls Read. Its methods may be called from any
// goroutine.
type Socket struct {
	options Options
	place   place
	fd      int
	epoch   time.Time

	mu     sync.Mutex // protects what follows; who reads holds it
	pace   pace
	closed bool

	taken, refused, truncated, unknown, throttled atomic.Uint64
}

// Listen makes a socket and a directory for it, which lies in XDG_RUNTIME_DIR
// if that is good for it, else in that of os.TempDir.
func Listen(o Options) (*Socket, error) {
	s := &Socket{options: o, fd: -1, epoch: time.Now()}
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("notify: no socket: %w", err)
	}
	return s, nil
}

func (s *Socket) open() (err error) {
	if s.place, err = newPlace(s.options.UID); err != nil {
		return err
	}
	if err = s.bind(); err == nil {
		err = s.place.open(s.options.UID)
	}
	if err != nil {
		if s.fd >= 0 {
			_ = unix.Close(s.fd)
		}
		s.place.remove()
	}
	return err
}

// bind makes the socket, which from its first datagram on knows the senders.
func (s *Socket) bind() (err error) {
	s.fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return err
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_PASSCRED, 1); err != nil {
		return err
	}
	return unix.Bind(s.fd, &unix.SockaddrUnix{Name: s.place.socket()})
}

// Path is what the variable NOTIFY_SOCKET of the process is to hold.
func (s *Socket) Path() string { return s.place.socket() }

// FD is the descriptor to watch. It is open until Close.
func (s *Socket) FD() int { return s.fd }

// Counters is what has become of the datagrams up to now.
func (s *Socket) Counters() Counters {
	return Counters{
		Taken: s.taken.Load(), Refused: s.refused.Load(), Truncated: s.truncated.Load(),
		Unknown: s.unknown.Load(), Throttled: s.throttled.Load(),
	}
}

// Read delivers what there is, as far as the pace permits. It is to be called
// when the descriptor can be read and, if the wait is not zero, then not before
// that is over. After Close it does nothing.
func (s *Socket) Read() (wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read()
}

func (s *Socket) read() (wait time.Duration) {
	for !s.closed {
		if wait := s.pace.wait(time.Since(s.epoch)); wait > 0 {
			s.throttled.Add(1)
			return wait
		}
		if !s.receive() {
			break
		}
	}
	return 0
}

// Close delivers what was sent before, as far as the pace permits without
// waiting, and removes the socket and its directory. When it returns, nothing is
// delivered any more.
func (s *Socket) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	_ = s.read()
	s.closed = true
	_ = unix.Close(s.fd)
	s.place.remove()
}

// letter is the memory that a datagram is read into. There is room for the
// sender and for nothing else: descriptors that come along do not fit, and the
// kernel drops them without giving them a number here. So a flood of them costs
// us none, and a barrier falls as soon as it is read, everything before it
// having been delivered.
type letter struct {
	text [maxDatagram]byte
	from []byte
}

var letters = sync.Pool{New: func() any {
	return &letter{from: make([]byte, unix.CmsgSpace(unix.SizeofUcred))}
}}

// receive reads a datagram and acts on it. It is false if there was none.
func (s *Socket) receive() bool {
	l := letters.Get().(*letter)
	defer letters.Put(l)
	n, fromN, flags, _, err := unix.Recvmsg(s.fd, l.text[:], l.from, unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
	if errors.Is(err, unix.EAGAIN) {
		return false
	}
	s.pace.spend(time.Since(s.epoch)) // an error counts, too, so that no error makes a loop
	switch {
	case err != nil:
	case !s.admits(l.from[:fromN]):
		s.refused.Add(1)
	case flags&unix.MSG_TRUNC != 0:
		s.truncated.Add(1)
	default:
		s.take(l.text[:n])
	}
	return true
}

func (s *Socket) take(datagram []byte) {
	m, err := Parse(datagram)
	if err != nil {
		s.unknown.Add(1)
		if m.Fields == 0 {
			return
		}
	}
	s.taken.Add(1)
	if m.Has(MainPID) && !s.pin(&m) {
		s.refused.Add(1)
		m.MainPID, m.Fields = 0, m.Fields&^MainPID
	}
	if m.Fields != 0 {
		s.options.Deliver(m)
	}
}
