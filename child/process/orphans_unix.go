//go:build unix

package process

import (
	_ "embed"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/coppice-go/coppice/child/process/internal/spawn"
)

// guard sees to it that the processes of a program that dies do not outlive
// it: a shell, the watcher, is told of each group, and kills what is left when
// the pipe through which it is told comes to its end. There is one watcher for
// the program, from the first process on. It says nothing, so that the end of
// its own output is its death, and another takes its place.
type guard struct {
	mu     sync.Mutex // protects what follows
	groups map[int]struct{}
	pid    int      // of the watcher; 0 while there is none
	pidfd  int      // of the watcher, by which a Reaper knows that it is somebody's
	pipe   *os.File // to the watcher
	back   int      // from the watcher
	end    *watch   // of back, while there are groups
	began  time.Time
}

var theGuard guard

//go:embed watcher.sh
var watcherScript string

const (
	// tellTime bounds a word to the watcher, who may have been stopped.
	tellTime = time.Second
	// respite is how long a watcher has to have lived for the next one to be
	// started at once. Otherwise it comes with the next process.
	respite = time.Second
)

// ready reports whether there is a watcher, and starts one if there is none.
func (g *guard) ready() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.there()
}

// add has the group killed at the end of our program, if there is a watcher.
func (g *guard) add(pgid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.groups == nil {
		g.groups = map[int]struct{}{}
	}
	g.groups[pgid] = struct{}{}
	if g.there() && g.tell("+", pgid) {
		g.look()
	}
}

// remove is called when nothing of the group is left, or what is shall live.
func (g *guard) remove(pgid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, ok := g.groups[pgid]; !ok {
		return
	}
	delete(g.groups, pgid)
	if g.pid != 0 {
		g.tell("-", pgid)
	}
	if len(g.groups) == 0 {
		theOne.remove(g.end)
		g.end = nil
	}
}

// look watches the watcher.
func (g *guard) look() {
	if g.end == nil && g.pid != 0 {
		g.end, _ = theOne.add(g.back, func() { go g.replace() }) // without, it is replaced with the next process
	}
}

// replace takes the place of a watcher that has died.
func (g *guard) replace() {
	g.mu.Lock()
	defer g.mu.Unlock()
	began := g.began
	if g.gone() && len(g.groups) > 0 && time.Since(began) > respite && g.start() == nil {
		g.look()
	}
}

// there reports whether there is a watcher, after starting one that is missing.
func (g *guard) there() bool {
	return g.pid != 0 && !g.gone() || g.start() == nil
}

// gone reports whether the watcher has died, and buries it then.
func (g *guard) gone() bool {
	if g.pid == 0 {
		return true
	}
	if pid, err := syscall.Wait4(g.pid, nil, syscall.WNOHANG, nil); pid == 0 && err == nil {
		return false
	}
	g.bury()
	return true
}

// tell tells the watcher. One that does not listen is killed, before it can
// take the end of the pipe for ours, and another is told everything.
func (g *guard) tell(op string, pgid int) bool {
	_ = g.pipe.SetWriteDeadline(time.Now().Add(tellTime)) // a pipe takes one
	if _, err := g.pipe.WriteString(op + " " + strconv.Itoa(pgid) + "\n"); err == nil {
		return true
	}
	_ = syscall.Kill(g.pid, sigKill)
	_, _ = syscall.Wait4(g.pid, nil, 0, nil)
	g.bury()
	return g.start() == nil
}

func (g *guard) bury() {
	theOne.remove(g.end)
	_ = g.pipe.Close()
	closeAll([]int{g.back, g.pidfd})
	g.pid, g.pipe, g.end = 0, nil, nil
}

// start starts a watcher and tells it of all groups.
func (g *guard) start() error {
	shell, err := Command{Path: "sh"}.lookup("sh", []string{"PATH=" + defaultPath})
	if err != nil {
		return err
	}
	var in, out [2]int
	if err := pipe2(in[:]); err != nil {
		return err
	}
	if err := pipe2(out[:]); err != nil {
		closeAll(in[:])
		return err
	}
	g.began = time.Now()
	pid, pidfd, err := spawn.Start(&spawn.Attr{
		Path: shell, Args: []string{"sh", "-c", watcherScript, "coppice-watcher"},
		Env: []string{"LC_ALL=C", "PATH=" + defaultPath}, Files: []int{in[0], out[1], -1}, Session: true,
	})
	closeAll([]int{in[0], out[1]})
	if err != nil {
		closeAll([]int{in[1], out[0]})
		return err
	}
	_ = syscall.SetNonblock(in[1], true) // so that a write has a deadline
	g.pid, g.pidfd, g.back = pid, pidfd, out[0]
	g.pipe = os.NewFile(uintptr(in[1]), "watcher")
	for pgid := range g.groups {
		if _, err := g.pipe.WriteString("+ " + strconv.Itoa(pgid) + "\n"); err != nil {
			g.bury()
			return err
		}
	}
	return nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		_ = syscall.Close(fd)
	}
}

// What ends a process with our program.
const (
	byWatcher = "watcher"
	byKernel  = "parent-death signal"
)

// prepareOrphan finds out what will end the process with our program. Where no
// watcher can be had, Linux kills the leader with the thread that started it,
// which for a program that does not lock threads is its own end.
func (p *proc) prepareOrphan(attr *spawn.Attr) {
	switch {
	case p.command.Orphan == LiveOn:
	case theGuard.ready():
		p.guarded = byWatcher
	case runtime.GOOS == "linux":
		p.guarded, attr.ParentDeath = byKernel, int(sigKill)
	}
}

// release leaves the end of our program to what is left of the group, if there
// is anything.
func (p *proc) release() {
	if p.guarded == byWatcher {
		theGuard.remove(p.pgid)
	}
}
