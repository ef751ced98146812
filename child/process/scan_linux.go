package process

import (
	"bytes"
	"os"
	"strconv"
	"sync"
)

// scanner reads /proc once for all who wait for what is left of their groups:
// a look takes some microseconds for each process on the machine.
type scanner struct {
	mu      sync.Mutex // protects what follows
	pending *look      // will begin after now; nil if nobody waits
	running bool
}

// look is one pass over /proc.
type look struct {
	done   chan struct{}
	groups map[int]members // of processes that are no zombies
	ok     bool
}

var theScanner scanner

// scan is who of a group is left, zombies aside, by a look that begins now or
// later; false where /proc does not tell.
func scan(pgid int) (members, bool) {
	l := theScanner.join()
	<-l.done
	return l.groups[pgid], l.ok
}

// join is a look that has not begun yet. Who comes first makes it, when the
// one before is over.
func (s *scanner) join() *look {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending == nil {
		s.pending = &look{done: make(chan struct{})}
		if !s.running {
			s.running = true
			go s.run()
		}
	}
	return s.pending
}

func (s *scanner) run() {
	for {
		s.mu.Lock()
		l := s.pending
		s.pending = nil
		s.running = l != nil
		s.mu.Unlock()
		if l == nil {
			return
		}
		l.groups, l.ok = groups()
		close(l.done)
	}
}

// groups is one pass over /proc.
func groups() (map[int]members, bool) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil, false
	}
	defer proc.Close()
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return nil, false
	}
	all := map[int]members{}
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' {
			continue
		}
		if m, pgid, ok := readStat(name); ok {
			all[pgid] = append(all[pgid], m)
		}
	}
	return all, true
}

// readStat reads /proc/PID/stat: number (name) state parent group. The name is
// the program's choice and may hold anything. A zombie is not ok.
func readStat(pid string) (m member, pgid int, ok bool) {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return member{}, 0, false
	}
	open, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if open < 0 || end < open {
		return member{}, 0, false
	}
	fields := bytes.Fields(stat[end+1:])
	if len(fields) < 3 {
		return member{}, 0, false
	}
	m.pid, _ = strconv.Atoi(pid)
	m.name, m.state = string(stat[open+1:end]), fields[0][0]
	pgid, err = strconv.Atoi(string(fields[2]))
	return m, pgid, err == nil && m.state != 'Z' && m.state != 'X'
}

// descendants are the processes below pid, as far as they have not been left
// by their parents, nearest first.
func descendants(pid int) (all []int) {
	level := []int{pid}
	for len(level) > 0 {
		var next []int
		for _, parent := range level {
			next = append(next, children(parent)...)
		}
		all, level = append(all, next...), next
	}
	return all
}

func children(pid int) (pids []int) {
	dir := "/proc/" + strconv.Itoa(pid) + "/task/"
	tasks, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, task := range tasks {
		list, _ := os.ReadFile(dir + task.Name() + "/children")
		for _, field := range bytes.Fields(list) {
			if n, err := strconv.Atoi(string(field)); err == nil {
				pids = append(pids, n)
			}
		}
	}
	return pids
}
