package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/coppice-go/coppice/child"
)

// A cgroup is the control group of one child, below that of our program, in a
// directory named after our number. It is kept over the runs of the child, and
// goes with the stop of it. What a program leaves behind that was killed is
// swept by the next one.
//
// Each run has a leaf of its own in it: some kernels kill at once whoever is
// started into a group that has been killed before.
type cgroup struct {
	path string
	leaf string
	dir  *os.File // the leaf, for the start
	ooms uint64   // kills for want of memory before the run
}

// delegated is the directory below which we make ours, found once.
var delegated = sync.OnceValues(func() (string, error) {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	path := ""
	for line := range strings.Lines(string(own)) {
		if p, ok := strings.CutPrefix(line, "0::"); ok {
			path = strings.TrimSpace(p)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(mounts)) {
		before, after, _ := strings.Cut(line, " - ")
		fields := strings.Fields(before)
		if strings.HasPrefix(after, "cgroup2 ") && len(fields) > 4 && path != "" {
			base := filepath.Join(fields[4], path)
			sweep(base)
			return base, nil
		}
	}
	return "", errors.New("there is no cgroup v2")
})

const ours = "coppice-"

// sweep removes what programs left that are no more.
func sweep(base string) {
	entries, _ := os.ReadDir(base)
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), ours)
		pid, err := strconv.Atoi(number)
		if !ok || err != nil || !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			continue
		}
		prune(filepath.Join(base, e.Name()), 3)
	}
}

// prune removes the groups below dir, and dir, as far as nobody is in them.
func prune(dir string, depth int) {
	below, _ := os.ReadDir(dir)
	for _, b := range below {
		if b.IsDir() && depth > 1 {
			prune(filepath.Join(dir, b.Name()), depth-1)
		}
	}
	_ = os.Remove(dir)
}

// unnamed numbers the runs that have no path.
var unnamed atomic.Uint64

// openCgroup makes the control group of a run, or finds it. It is nil where
// the command wants none, or nobody lets us make one and no limit hangs on it.
func (c Command) openCgroup(ctx context.Context) (*cgroup, error) {
	if !c.Containment.Cgroup {
		return nil, nil
	}
	g, err := makeCgroup(child.Path(ctx))
	if err == nil {
		if err = g.limit(c.Containment); err == nil {
			g.ooms = g.oomKills()
			return g, nil
		}
		g.close()
		g.remove(true)
	}
	if c.Containment.limits() {
		return nil, c.failed("cgroup", "a limit cannot be set", err)
	}
	child.Logger(ctx).Debug("process: no control group", "err", err)
	return nil, nil
}

func makeCgroup(path string) (*cgroup, error) {
	base, err := delegated()
	if err != nil {
		return nil, err
	}
	g := &cgroup{path: filepath.Join(base, ours+strconv.Itoa(os.Getpid()), cgroupName(path))}
	if err := os.MkdirAll(g.path, 0o755); err != nil {
		return nil, err
	}
	for n := 1; ; n++ { // one that is in use was left by Leftovers
		g.leaf = filepath.Join(g.path, "run"+strconv.Itoa(n))
		_ = os.Remove(g.leaf)
		if err = os.Mkdir(g.leaf, 0o755); !errors.Is(err, os.ErrExist) {
			break
		}
	}
	if err == nil {
		g.dir, err = os.Open(g.leaf)
	}
	return g, err
}

// cgroupName is the directory for the child at path: colons are in no name.
func cgroupName(path string) string {
	const most = 200
	if path == "" {
		return "run:" + strconv.FormatUint(unnamed.Add(1), 10)
	}
	name := strings.ReplaceAll(path, "/", ":")
	if len(name) > most {
		h := fnv.New64a()
		_, _ = h.Write([]byte(name)) // it never fails
		name = name[len(name)-most:] + ":" + strconv.FormatUint(h.Sum64(), 16)
	}
	return name
}

// limit sets the hard limits, and lets the parents pass on what that takes.
func (g *cgroup) limit(c Containment) error {
	const period = 100_000 // microseconds
	for _, l := range []struct {
		controller, file, value string
		set                     bool
	}{
		{"memory", "memory.max", strconv.FormatUint(c.MaxMemory, 10), c.MaxMemory > 0},
		{"cpu", "cpu.max", fmt.Sprintf("%d %d", int64(c.MaxCPU*period), period), c.MaxCPU > 0},
		{"pids", "pids.max", strconv.Itoa(c.MaxProcesses), c.MaxProcesses > 0},
	} {
		if !l.set {
			continue
		}
		above := filepath.Dir(g.path)
		for _, dir := range []string{filepath.Dir(above), above} {
			if err := enable(dir, l.controller); err != nil {
				return err
			}
		}
		if err := os.WriteFile(filepath.Join(g.path, l.file), []byte(l.value), 0); err != nil {
			return err
		}
	}
	return nil
}

func enable(dir, controller string) error {
	file := filepath.Join(dir, "cgroup.subtree_control")
	if on, err := os.ReadFile(file); err == nil && bytes.Contains(append(on, ' '), []byte(controller+" ")) {
		return nil
	}
	return os.WriteFile(file, []byte("+"+controller), 0)
}

// fd is the descriptor of the directory for the start; 0 is none.
func (g *cgroup) fd() int {
	if g == nil {
		return 0
	}
	return int(g.dir.Fd())
}

// oomKills counts the processes in the group that were killed for want of
// memory.
func (g *cgroup) oomKills() uint64 { return g.count("memory.events", "oom_kill") }

// oomKilled reports whether that has happened since the start.
func (g *cgroup) oomKilled() bool { return g != nil && g.oomKills() > g.ooms }

// populated reports whether a process that is no zombie is in the group.
func (g *cgroup) populated() bool { return g != nil && g.count("cgroup.events", "populated") > 0 }

func (g *cgroup) count(file, key string) uint64 {
	content, _ := os.ReadFile(filepath.Join(g.path, file))
	for line := range strings.Lines(string(content)) {
		if value, ok := strings.CutPrefix(line, key+" "); ok {
			n, _ := strconv.ParseUint(strings.TrimSpace(value), 10, 64)
			return n
		}
	}
	return 0
}

// members are the processes in the group.
func (g *cgroup) members() (all members) {
	if g == nil {
		return nil
	}
	content, _ := os.ReadFile(filepath.Join(g.leaf, "cgroup.procs"))
	for line := range strings.Lines(string(content)) {
		if m, ok := readStat(strings.TrimSpace(line)); ok && !m.dead() {
			all = append(all, m)
		}
	}
	return all
}

// signal signals every process in the group. Each is held by a descriptor and
// then found to be in the group still, so that nobody else is hit.
func (g *cgroup) signal(sig syscall.Signal) {
	if g == nil {
		return
	}
	if sig == sigKill && os.WriteFile(filepath.Join(g.path, "cgroup.kill"), []byte("1"), 0) == nil {
		return
	}
	for _, m := range g.members() {
		fd, err := unix.PidfdOpen(m.pid, 0)
		if err != nil {
			continue
		}
		if g.holds(m.pid) {
			_ = unix.PidfdSendSignal(fd, sig, nil, 0)
		}
		_ = unix.Close(fd)
	}
}

// holds reports whether a process is in the group.
func (g *cgroup) holds(pid int) bool {
	if g == nil {
		return false
	}
	in := filepath.Join("/", filepath.Base(g.path), filepath.Base(g.leaf))
	where, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	return bytes.Contains(where, []byte(in+"\n"))
}

// close lets go of the descriptor.
func (g *cgroup) close() {
	if g != nil {
		_ = g.dir.Close()
	}
}

// remove removes the leaf, and if all is set the group, as far as nobody is
// left in them.
func (g *cgroup) remove(all bool) {
	if g == nil || os.Remove(g.leaf) != nil || !all {
		return
	}
	if os.Remove(g.path) == nil {
		_ = os.Remove(filepath.Dir(g.path)) // with the last one
	}
}
