//go:build linux && (amd64 || arm64) && !coppice_forkexec

package spawn

import (
	"math"
	"os"
	"slices"
	"strconv"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A passage is a pair of sockets through which a child gets its descriptors.
// What is open in our program has a high number when much is; the child would
// have to copy all that lies below. The number of out stays low.
type passage struct {
	in   int // we send here
	out  int // the child receives here
	home int // is out, while nobody needs its number
}

// passages are kept from the first start on, when numbers are still low. More
// than these start at once through new ones, which may cost more.
var passages = sync.OnceValue(func() chan passage {
	const kept = 4
	free := make(chan passage, kept)
	for range kept {
		if p, err := newPassage(); err == nil {
			free <- p
		}
	}
	return free
})

// atOnce is how many descriptors one message can carry.
const atOnce = 253

// last is the highest descriptor, for close_range.
const last = math.MaxUint32

func newPassage() (passage, error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	return passage{in: ends[1], out: ends[0], home: ends[0]}, err
}

// borrow returns a passage whose out is not among the n numbers that the
// descriptors are to have.
func borrow(n int) (p passage, err error) {
	select {
	case p = <-passages():
	default:
		if p, err = newPassage(); err != nil {
			return p, err
		}
	}
	if p.out >= n {
		return p, nil
	}
	if p.out, err = unix.FcntlInt(uintptr(p.home), unix.F_DUPFD_CLOEXEC, n); err != nil {
		p.out = p.home
		p.close()
	}
	return p, err
}

// giveBack returns what was borrowed. What a failed child may have left in it
// goes with it.
func (p passage) giveBack(err error) {
	if p.out != p.home {
		_ = unix.Close(p.out)
		p.out = p.home
	}
	if err != nil {
		p.close()
		p, err = newPassage()
	}
	if err != nil {
		return
	}
	select {
	case passages() <- p:
	default:
		p.close()
	}
}

func (p passage) close() {
	_ = unix.Close(p.in)
	_ = unix.Close(p.out)
}

// send sends files. One that is to be closed stands for another, so that those
// behind it get their places.
func (p passage) send(files []int) error {
	files = slices.Clone(files)
	some := slices.IndexFunc(files, func(fd int) bool { return fd >= 0 })
	for i, fd := range files {
		if fd >= 0 {
			continue
		}
		files[i] = p.in
		if some >= 0 {
			files[i] = files[some]
		}
	}
	for chunk := range slices.Chunk(files, atOnce) {
		if err := unix.Sendmsg(p.in, []byte{0}, unix.UnixRights(chunk...), nil, unix.MSG_DONTWAIT); err != nil {
			return err
		}
	}
	return nil
}

// A parcel is where one message arrives.
type parcel struct {
	msg     unix.Msghdr
	iov     unix.Iovec
	byte    byte
	control []byte
}

// header is where the message's header is.
func (m *parcel) header(p *plan) uintptr {
	m.iov.Base = &m.byte
	m.iov.SetLen(1)
	m.msg.Iov = &m.iov
	m.msg.SetIovlen(1)
	m.msg.Control = &m.control[0]
	m.msg.SetControllen(len(m.control))
	return p.at(unsafe.Pointer(&m.msg))
}

// shares says whether a child can share our table of descriptors and leave it
// in one step. The attempt closes nothing: no number is that high.
var shares = sync.OnceValue(func() bool { return unix.CloseRange(last, last, 0) == nil })

// opened are the descriptors of ours that a child closes which has a copy of
// our table, except for one. Those that are opened after this look are closed
// when it executes, as Go opens them.
func opened(except int) (fds []int) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil { // no /proc: make room at least
		for fd := range except {
			fds = append(fds, fd)
		}
		return fds
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd != except {
			fds = append(fds, fd)
		}
	}
	return fds
}
