package metrics

import (
	"sync"
	"time"

	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/supervisor"
)

// use is what the processes under one path use, and have used and printed
// since they were first sampled.
type use struct {
	stdout, stderr process.Volume
	cpu            time.Duration

	sampled     bool // what follows is known
	memory      uint64
	threads     int
	descriptors int // -1 if the system does not tell
}

// add adds what o uses.
func (u *use) add(o *use) {
	addVolume(&u.stdout, o.stdout, process.Volume{})
	addVolume(&u.stderr, o.stderr, process.Volume{})
	u.cpu += o.cpu
	u.gauge(o)
}

// gauge adds what o uses now.
func (u *use) gauge(o *use) {
	if !o.sampled {
		return
	}
	u.sampled = true
	u.memory += o.memory
	u.threads += o.threads
	if o.descriptors < 0 || u.descriptors < 0 {
		u.descriptors = -1
		return
	}
	u.descriptors += o.descriptors
}

// addVolume adds to v what is new in now since before.
func addVolume(v *process.Volume, now, before process.Volume) {
	v.Bytes += now.Bytes - before.Bytes
	v.Lines += now.Lines - before.Lines
	v.Dropped += now.Dropped - before.Dropped
}

// account is what is known of one process.
type account struct {
	path           string // under which it is shown
	stdout, stderr process.Volume
	cpu            time.Duration
}

// usage samples the processes of a tree while it is read.
type usage struct {
	sup   *supervisor.Supervisor
	every time.Duration

	mu      sync.Mutex // protects what follows
	totals  map[string]*use
	now     map[string]load // by the place's own path
	asked   time.Time       // when it was read last
	running bool

	accounts map[*process.Handle]*account // for the sampling goroutine only
}

func newUsage(sup *supervisor.Supervisor, every time.Duration) *usage {
	return &usage{sup: sup, every: every, accounts: map[*process.Handle]*account{}}
}

// patience is how many intervals without a reader end the sampling.
const patience = 30

// read is the last sample, by path; nobody changes it. It sees to it that there
// are others.
func (u *usage) read() map[string]*use {
	totals, _ := u.both()
	return totals
}

// load is what a process and its descendants use at the moment.
type load struct {
	share  float64 // of processors
	memory uint64
}

// loads is the last sample, by the path of each place; nobody changes it.
func (u *usage) loads() map[string]load {
	_, now := u.both()
	return now
}

func (u *usage) both() (map[string]*use, map[string]load) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.asked = time.Now()
	if !u.running {
		select {
		case <-u.sup.Done():
		default:
			u.running = true
			go u.run(u.sup.Done())
		}
	}
	return u.totals, u.now
}

// run takes samples until the tree has ended or nobody reads.
func (u *usage) run(done <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var before time.Duration // what the sample before took
	for {
		select {
		case <-done:
		case <-timer.C:
		}
		began := time.Now()
		totals, now := u.sample()
		took := time.Since(began)
		u.mu.Lock()
		u.totals, u.now = totals, now
		if isDone(done) || time.Since(u.asked) > patience*u.every {
			u.running = false
			u.mu.Unlock()
			return
		}
		u.mu.Unlock()
		// One slow sample may be the fault of others: it had to wait for a processor.
		timer.Reset(max(u.every, 100*min(took, before)))
		before = took
	}
}

func isDone(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// sample brings the accounts up to date: of those that live, and for the last
// time of those that have ended.
func (u *usage) sample() (map[string]*use, map[string]load) {
	live := supervisor.Offers[*process.Handle](u.sup)
	if len(live) == 0 && len(u.accounts) == 0 {
		return u.totals, nil
	}
	snap := u.sup.Snapshot()
	paths := map[string]string{}
	label(paths, &snap.Root, snap.Root.Path)
	next := map[string]*use{}
	for path, label := range paths {
		if before := u.totals[label]; before != nil {
			next[label] = &use{stdout: before.stdout, stderr: before.stderr, cpu: before.cpu}
		} else if live[path] != nil {
			next[label] = new(use)
		}
	}
	for path, h := range live {
		if u.accounts[h] == nil && paths[path] != "" && !isDone(h.Done()) {
			u.accounts[h] = &account{path: paths[path]}
		}
	}
	stats, _ := process.Sample() // without, only what is printed is known
	for h, a := range u.accounts {
		over := isDone(h.Done()) // and what it printed is all there
		if total := next[a.path]; total != nil {
			a.settle(h, stats, total)
		}
		if over {
			delete(u.accounts, h)
		}
	}
	now := make(map[string]load, len(live))
	for path, h := range live {
		if s, ok := stats[h]; ok {
			now[path] = load{s.Tree.Share, s.Tree.Memory}
		}
	}
	return next, now
}

// settle adds to total what h has used since it was settled last.
func (a *account) settle(h *process.Handle, stats map[*process.Handle]process.Stats, total *use) {
	out, err := h.Volumes()
	addVolume(&total.stdout, out, a.stdout)
	addVolume(&total.stderr, err, a.stderr)
	a.stdout, a.stderr = out, err
	s, ok := stats[h]
	if !ok {
		return
	}
	total.cpu += max(0, s.Tree.CPU-a.cpu)
	a.cpu = max(a.cpu, s.Tree.CPU)
	total.gauge(&use{sampled: true, memory: s.Tree.Memory, threads: s.Tree.Threads, descriptors: s.Tree.Descriptors})
}

// label finds under which path each place of the tree is shown.
func label(paths map[string]string, s *supervisor.Status, as string) {
	paths[s.Path] = as
	for i := range s.Children {
		label(paths, &s.Children[i], below(as, s, i))
	}
}
