package process

import (
	"bytes"
	"maps"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// scanner reads /proc once for all who wait for what is left of their groups:
// a look takes some microseconds for each process on the machine.
type scanner struct {
	read    func(pid string) (member, bool)
	mu      sync.Mutex // protects what follows
	pending *look      // will begin after now; nil if nobody waits
	last    uint64     // the number of the newest look
	running bool
}

// look is one pass over /proc.
type look struct {
	number uint64 // a later look has a higher one
	done   chan struct{}
	groups map[int]members
	err    error // what was in the way

	indexed  sync.Once       // what follows is made for the first who wants it
	numbered map[int]member  // by their numbers
	children map[int]members // by the numbers of their parents
}

var (
	theScanner = scanner{read: readStat}
	// theCensus finds out who is in which group and nothing else, in a tenth of
	// the time: a start may be waiting for that.
	theCensus = scanner{read: readGroup}
)

// scan is who of a group is left, zombies aside, by a look that begins now or
// later; false where /proc does not tell.
func scan(pgid int) (left members, ok bool) {
	l := theCensus.look()
	for _, found := range l.groups[pgid] {
		m, there := readStat(strconv.Itoa(found.pid))
		if there && m.group == pgid && !m.dead() {
			left = append(left, m)
		}
	}
	return left, l.err == nil
}

// look is a look that begins now or later, when it is over.
func (s *scanner) look() *look {
	l := s.join()
	<-l.done
	return l
}

// join is a look that has not begun yet. Who comes first makes it, when the
// one before is over.
func (s *scanner) join() *look {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending == nil {
		s.last++
		s.pending = &look{number: s.last, done: make(chan struct{})}
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
		l.groups, l.err = groups(s.read)
		close(l.done)
	}
}

// groups is one pass over /proc.
func groups(read func(pid string) (member, bool)) (map[int]members, error) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	all := map[int]members{}
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' {
			continue
		}
		if m, ok := read(name); ok {
			all[m.group] = append(all[m.group], m)
		}
	}
	return all, nil
}

// readGroup asks the system for the group.
func readGroup(pid string) (m member, ok bool) {
	m.pid, _ = strconv.Atoi(pid) // it is one
	group, err := unix.Getpgid(m.pid)
	m.group = group
	return m, err == nil
}

// readStat reads /proc/PID/stat: number (name) state parent group, and the time
// of the start as the twentieth after the name. The name is the program's
// choice and may hold anything.
func readStat(pid string) (m member, ok bool) {
	var buf [512]byte
	stat, err := readShort("/proc/"+pid+"/stat", buf[:])
	if err != nil {
		return member{}, false
	}
	open, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if open < 0 || end < open {
		return member{}, false
	}
	fields := bytes.Fields(stat[end+1:])
	if len(fields) < 20 {
		return member{}, false
	}
	m.name, m.state = string(stat[open+1:end]), fields[0][0]
	var errs [4]error
	m.pid, errs[0] = strconv.Atoi(pid)
	m.parent, errs[1] = strconv.Atoi(string(fields[1]))
	m.group, errs[2] = strconv.Atoi(string(fields[2]))
	m.start, errs[3] = strconv.ParseUint(string(fields[19]), 10, 64)
	return m, errs == [4]error{}
}

// readShort is as much of a file as there is room for, in the fewest calls.
func readShort(path string, buf []byte) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	n, err := unix.Read(fd, buf)
	return buf[:max(n, 0)], err
}

// await waits until those have ended who are alive, and returns who has not
// by the deadline.
func (m members) await(deadline time.Time) (left members) {
	ended := make(chan int, len(m))
	alive := make(map[int]member, len(m))
	for _, one := range m {
		fd, err := unix.PidfdOpen(one.pid, 0)
		if err != nil {
			continue // it has gone
		}
		defer unix.Close(fd)
		if group, err := unix.Getpgid(one.pid); err != nil || group != one.group {
			continue // its number has become another's
		}
		w, err := theOne.add(fd, func() { ended <- one.pid })
		if err == nil {
			defer theOne.remove(w)
			alive[one.pid] = one
		}
	}
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	for len(alive) > 0 {
		select {
		case pid := <-ended:
			delete(alive, pid)
		case <-timer.C:
			return slices.Collect(maps.Values(alive))
		}
	}
	return nil
}

// descends reports whether a process is a descendant of another one, as far as
// no parent between them has left its child.
func descends(pid, from int) bool {
	const generations = 64
	for range generations {
		if pid <= 1 || pid == from {
			return pid == from
		}
		m, _ := readStat(strconv.Itoa(pid))
		pid = m.parent
	}
	return false
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
