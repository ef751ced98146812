package process

import (
	"errors"
	"io/fs"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/procfs"
)

const canSample = true

// sample is a sample of each of those whose process lives, by one pass over
// /proc.
func sample(handles []*Handle) (map[*Handle]Stats, error) {
	l := theScanner.look()
	if l.err != nil {
		return nil, l.err
	}
	proc, err := procfs.NewDefaultFS()
	if err != nil {
		return nil, err
	}
	all := make(map[*Handle]Stats, len(handles))
	for _, h := range handles {
		s, ok := h.measured().tree.sample(proc, l, h.PID())
		if ok && !h.over() { // while it lives its number is its own
			all[h] = s
		}
	}
	return all, nil
}

// tree is the process with that number, its group and all their descendants,
// each before its children.
func (l *look) tree(leader int) (all members) {
	l.indexed.Do(l.index)
	seen := map[int]bool{}
	var visit func(member)
	visit = func(m member) {
		if seen[m.pid] {
			return
		}
		seen[m.pid] = true
		all = append(all, m)
		for _, c := range l.children[m.pid] {
			visit(c)
		}
	}
	if m, ok := l.numbered[leader]; ok {
		visit(m)
	}
	for _, m := range l.groups[leader] {
		if l.numbered[m.parent].group != leader {
			visit(m)
		}
	}
	return all
}

func (l *look) index() {
	l.numbered, l.children = map[int]member{}, map[int]members{}
	for _, group := range l.groups {
		for _, m := range group {
			l.numbered[m.pid] = m
			l.children[m.parent] = append(l.children[m.parent], m)
		}
	}
}

// tree remembers what was read of the processes of a run, so that what those
// have used is not forgotten that end without anybody waiting for them.
type tree struct {
	mu    sync.Mutex // protects what follows
	look  uint64     // the number of the newest look
	found members    // by it
	last  map[identity]times
	lost  time.Duration // used by those who ended, and told to nobody
}

// identity is a process, also when its number is given to another.
type identity struct {
	pid   int
	start uint64
}

// times is what a process has used itself, and what those of its children have
// that it has waited for.
type times struct{ own, waited time.Duration }

// sample reads the members. Where somebody with a later look was faster, those
// of that count: who is not in an older one has not ended.
func (t *tree) sample(proc procfs.FS, l *look, leader int) (s Stats, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l.number >= t.look {
		t.look, t.found = l.number, l.tree(leader)
	}
	s.Time = time.Now()
	now := map[identity]times{}
	for _, r := range readings(proc, t.found) {
		now[r.identity] = r.times
		s.Tree.add(r.use)
		s.Tree.CPU += r.waited
		if !r.dead {
			s.Processes++
		}
		if r.pid == leader {
			s.Process, ok = r.use, !r.dead
		}
	}
	if ok {
		t.lost += lost(t.last, now)
		t.last = now
		s.Tree.CPU += t.lost
	}
	return s, ok
}

// lost is how much of what had been used before is not in what is used now:
// what the last that was seen of a process that is gone exceeds what those who
// are left have been told of ended children.
func lost(before, now map[identity]times) (d time.Duration) {
	for id, was := range before {
		if is, ok := now[id]; ok {
			d -= is.waited - was.waited
		} else {
			d += was.own + was.waited
		}
	}
	return max(d, 0)
}

// add adds what another process uses.
func (u *Use) add(v Use) {
	u.CPU += v.CPU
	u.Memory += v.Memory
	u.Threads += v.Threads
	if u.Descriptors < 0 || v.Descriptors < 0 {
		u.Descriptors = -1
		return
	}
	u.Descriptors += v.Descriptors
}

// reading is what was read of one process.
type reading struct {
	identity
	times
	use  Use
	dead bool
}

// readings reads the members. A process is read before its children: where a
// child can be read, what it has used is not yet in what its parent has waited
// for. Where one cannot, it may be, and all are read again.
func readings(proc procfs.FS, found members) (all []reading) {
	const most = 5 // then some are counted twice, or not at all
	for try := 1; ; try++ {
		all = all[:0]
		var there members
		for _, m := range found {
			if r, ok := m.read(proc); ok {
				all, there = append(all, r), append(there, m)
			}
		}
		if len(there) == len(found) || try == most {
			return all
		}
		found = there
	}
}

// tick is the unit of processor times in /proc, on every system that Go runs on.
const tick = 10 * time.Millisecond

// read reads one process, unless it has ended and its number is another's.
func (m member) read(proc procfs.FS) (r reading, ok bool) {
	p, err := proc.Proc(m.pid)
	if err != nil {
		return r, false
	}
	stat, err := p.Stat()
	if err != nil || stat.Starttime != m.start {
		return r, false
	}
	r.identity = identity{m.pid, stat.Starttime}
	r.own, r.waited = time.Duration(stat.UTime+stat.STime)*tick, time.Duration(stat.CUTime+stat.CSTime)*tick
	r.use.CPU = r.own
	if r.dead = stat.State == "Z" || stat.State == "X"; r.dead {
		return r, true
	}
	r.use.Threads = stat.NumThreads
	if statm, err := p.Statm(); err == nil { // what is in stat may be out by megabytes
		r.use.Memory = statm.ResidentBytes()
	}
	switch r.use.Descriptors, err = p.FileDescriptorsLen(); {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ESRCH): // it is ending
		r.use.Descriptors = 0
	case err != nil:
		r.use.Descriptors = -1
	}
	return r, true
}
