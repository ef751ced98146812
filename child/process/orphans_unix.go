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
// it. A shell, the watcher, reads from a pipe that nobody writes to: its end
// is that of our program. Then it kills the groups that stand in a table, a
// file without a name that both have open; so telling it of a group wakes
// nobody. There is one watcher for the program, from the first process on. It
// says nothing, so that the end of its own output is its death, and another
// takes its place.
type guard struct {
	mu      sync.Mutex  // protects what follows
	table   *os.File    // nil until it is needed
	slots   map[int]int // of the groups, in the table
	free    []int       // slots below the end that are empty
	pid     int         // of the watcher; 0 while there is none
	pidfd   int         // of the watcher, by which a Reaper knows that it is somebody's
	hold    int         // our end of the pipe to the watcher
	back    int         // from the watcher
	end     *watch      // of back, while there are groups
	resting bool        // a look at whether there are groups is to come
	began   time.Time
}

var theGuard guard

//go:embed watcher.sh
var watcherScript string

const (
	// respite is how long a watcher has to have lived for the next one to be
	// started at once. Otherwise it comes with the next process.
	respite = time.Second
	// lull is how long the watcher is watched without a group: a process that
	// is restarted has one again at once.
	lull = 50 * time.Millisecond
	// width is that of a line in the table.
	width = 11
)

// ready reports whether there is a watcher, and starts one if there is none.
func (g *guard) ready() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.gone() || g.start() == nil
}

// add has the group killed at the end of our program.
func (g *guard) add(pgid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	slot := len(g.slots)
	if n := len(g.free); n > 0 {
		slot, g.free = g.free[n-1], g.free[:n-1]
	}
	g.slots[pgid] = slot
	g.write(slot, strconv.Itoa(pgid))
	g.look()
}

// remove is called when nothing of the group is left, or what is shall live.
func (g *guard) remove(pgid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	slot, ok := g.slots[pgid]
	if !ok {
		return
	}
	delete(g.slots, pgid)
	g.free = append(g.free, slot)
	g.write(slot, "")
	if len(g.slots) == 0 && !g.resting {
		g.resting = true
		time.AfterFunc(lull, g.rest)
	}
}

// rest ends the watch over the watcher if there are no groups.
func (g *guard) rest() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.resting = false
	if len(g.slots) == 0 {
		theOne.remove(g.end)
		g.end = nil
	}
}

// write writes a line of the table. It does not move the place at which the
// watcher reads.
func (g *guard) write(slot int, text string) {
	var line [width]byte
	for i := copy(line[:], text); i < width-1; i++ {
		line[i] = ' '
	}
	line[width-1] = '\n'
	_, _ = g.table.WriteAt(line[:], int64(slot)*width) // it is memory
}

// look watches the watcher.
func (g *guard) look() {
	if g.end == nil && g.pid != 0 {
		pid := g.pid
		g.end, _ = theOne.add(g.back, func() { go g.replace(pid) }) // without, it is replaced with the next process
	}
}

// replace puts another watcher in the place of one that has closed its output,
// which is the first thing that happens when a process ends.
func (g *guard) replace(pid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pid != pid {
		return
	}
	_ = syscall.Kill(pid, sigKill)
	for !g.gone() {
		time.Sleep(time.Millisecond)
	}
	if began := g.began; len(g.slots) > 0 && time.Since(began) > respite && g.start() == nil {
		g.look()
	}
}

// gone reports whether there is no watcher. One that has died is buried.
func (g *guard) gone() bool {
	if g.pid == 0 {
		return true
	}
	if pid, err := syscall.Wait4(g.pid, nil, syscall.WNOHANG, nil); pid == 0 && err == nil {
		return false
	}
	theOne.remove(g.end)
	closeAll([]int{g.hold, g.back, g.pidfd})
	g.pid, g.end = 0, nil
	return true
}

// start starts a watcher.
func (g *guard) start() error {
	shell, err := Command{Path: "sh"}.lookup("sh", []string{"PATH=" + defaultPath})
	if err != nil {
		return err
	}
	if g.table == nil {
		if g.table, err = nameless("coppice-groups"); err != nil {
			return err
		}
		g.slots = map[int]int{}
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
		Env: []string{"LC_ALL=C", "PATH=" + defaultPath}, Files: []int{in[0], out[1], -1, int(g.table.Fd())}, Session: true,
	})
	closeAll([]int{in[0], out[1]})
	if err != nil {
		closeAll([]int{in[1], out[0]})
		return err
	}
	g.pid, g.pidfd, g.hold, g.back = pid, pidfd, in[1], out[0]
	return nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		if fd >= 0 {
			_ = syscall.Close(fd)
		}
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
