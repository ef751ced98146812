//go:build linux && (amd64 || arm64) && !coppice_forkexec

package spawn

import (
	"syscall"
	"unsafe" // and for go:linkname

	"golang.org/x/sys/unix"
)

// fork makes the child and returns its number, or minus an errno. Until the
// child executes or exits this thread stands still. The scheduler knows that
// (it is in a system call) and gives the processor away, so that nobody waits
// for us, not even a garbage collection: what is below this frame on the stack
// it does not look at.
//
// No signal reaches the thread, so that no handler of the program runs in the
// child, which begins with the thread's mask.
//
//go:nosplit
//go:noinline
//go:norace
//go:nocheckptr
func fork(p *plan) uintptr {
	entersyscall()
	syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&p.full)), uintptr(unsafe.Pointer(&p.mask)), sigsetSize, 0, 0)
	result := vfork(p, p.number, p.args[0], p.args[1], p.args[2])
	syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&p.mask)), 0, sigsetSize, 0, 0)
	exitsyscall()
	return result
}

// vfork makes the child by the system call of that number and runs child in
// it. It is in assembler, because the child has to leave the frame alone to
// which its parent returns.
func vfork(p *plan, number, a1, a2, a3 uintptr) (result uintptr)

// The scheduler's own, which the runtime keeps accessible: go.dev/issue/67401.

//go:linkname entersyscall runtime.entersyscall
func entersyscall()

//go:linkname exitsyscall runtime.exitsyscall
func exitsyscall()

// child runs in the child, on memory that it shares with a program that goes
// on: it makes system calls and writes plain numbers into p, which nobody else
// looks at in the meantime. It must not allocate, grow the stack, store a
// pointer or call what does.
//
//go:nosplit
//go:noinline
//go:norace
//go:nocheckptr
func child(p *plan) {
	for sig := uintptr(1); sig <= lastSignal; sig++ { // KILL and STOP refuse it
		syscall.RawSyscall6(unix.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(&p.byDefault)), 0, sigsetSize, 0, 0)
	}
	for i := range p.calls {
		c := &p.calls[i]
		p.step = c.step
		result, _, errno := syscall.RawSyscall6(c.number, c.args[0], c.args[1], c.args[2], c.args[3], c.args[4], 0)
		if errno == 0 && c.then != nothing {
			errno = p.after(c, result)
		}
		if errno != 0 && c.then != whatever {
			p.errno = errno
			for {
				syscall.RawSyscall6(unix.SYS_EXIT_GROUP, 127, 0, 0, 0, 0, 0)
			}
		}
	}
}

var _ = child // the assembler calls it

// after does what remains to be done after c.
//
//go:nosplit
//go:noinline
//go:norace
//go:nocheckptr
func (p *plan) after(c *call, result uintptr) syscall.Errno {
	switch c.then {
	case complete:
		if c.message.Flags&unix.MSG_CTRUNC != 0 {
			return syscall.EMFILE
		}
	case ourChild:
		if result != p.parent {
			return syscall.ESRCH
		}
	case toEnv: // from the left and ended there: a leading zero may mean octal
		digits := uintptr(1)
		for rest := result; rest >= 10; rest /= 10 {
			digits++
		}
		p.listen[digits] = 0
		for ; digits > 0; result /= 10 {
			digits--
			p.listen[digits] = byte('0' + result%10)
		}
	}
	return 0
}
