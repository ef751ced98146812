package isolated

import (
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"time"
)

// marker is the variable of the environment that makes a copy of a program. It
// is the number of the descriptor by which the copy speaks with its parent, and
// it is gone before anybody else can see it.
const marker = "COPPICE_ISOLATED"

// guardTime is how long a copy waits for its hook. It is less than the parent
// waits for the first word.
const guardTime = 4 * time.Second

// Main is the hook. It belongs into the first line of main, and into that of
// TestMain where tests run isolated functions. In a copy of the program it runs
// the function that the copy is for, and does not return. Otherwise it returns
// at once.
func Main() {
	if c := theHook.call(); c != nil {
		c.main()
	}
	build() // while the file is still that of this program, if ever
}

// hook is what is known about the hook of this program.
type hook struct {
	mu     sync.Mutex // protects what follows
	called bool
	copy   *copied // nil unless this program is a copy
	guard  *time.Timer
}

var theHook hook

// init finds out whether the program is a copy, before anything of it runs, and
// arms the guard: a copy without a hook must not become what its parent is.
func init() {
	value, marked := os.LookupEnv(marker)
	if !marked {
		return
	}
	_ = os.Unsetenv(marker) // the copy's own children are none
	fd, err := strconv.Atoi(value)
	if err != nil || fd < 3 {
		return
	}
	conn, err := adopt(fd)
	if err != nil {
		return // whoever set the variable was not us
	}
	theHook.copy = newCopy(conn)
	theHook.guard = time.AfterFunc(guardTime, theHook.copy.noHook)
	if f := inherit(fd+1, aPipe); f != nil {
		_ = debug.SetCrashOutput(f, debug.CrashOptions{}) // it duplicates f
		_ = f.Close()
	}
}

// adopt makes a connection of an inherited descriptor, which nobody else is to
// inherit.
func adopt(fd int) (net.Conn, error) {
	f := inherit(fd, aSocket)
	if f == nil {
		return nil, os.ErrNotExist
	}
	defer f.Close()
	return net.FileConn(f)
}

// call notes that the hook was called, and is the copy that this is, if it is
// one.
func (h *hook) call() *copied {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.called = true
	if h.copy != nil {
		h.guard.Stop()
	}
	return h.copy
}

// check ends a copy that wants to start another without having called its hook,
// and is an error in any other program without one.
func (h *hook) check() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.called {
		return nil
	}
	if h.copy != nil {
		h.copy.noHook()
	}
	return ErrNoHook
}

// noHook ends a copy whose main goes where it must not.
func (c *copied) noHook() {
	_, _ = fmt.Fprint(os.Stderr, missing) // as far as anybody reads it
	c.refuse("")
}
