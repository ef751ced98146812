//go:build unix

package process

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process/internal/notify"
	"github.com/coppice-go/coppice/child/process/internal/spawn"
)

// talk is what a process says to its socket, and what follows from it. The
// poller tells when there is something to read; one goroutine at a time reads
// it then.
type talk struct {
	proc   *proc
	ctx    context.Context // of the run
	socket *notify.Socket
	guards bool // signs of life are asked for

	publishing sync.Mutex // so that the last facts are the newest

	mu       sync.Mutex // protects what follows
	said     Said
	watch    *watch
	pause    *time.Timer // until more may be read
	watchdog *time.Timer // nil before the start is complete
	until    time.Time   // up to which time was asked for
	main     *os.File    // a descriptor for the main process that it named
	over     bool
}

// mostExtension is how much time a process gets at once when it asks for more.
const mostExtension = time.Hour

// openTalk makes the socket of a process, and tells it in its environment.
// Without a Notify it is nil.
func (c Command) openTalk(attr *spawn.Attr) (*talk, error) {
	if !c.Notify.isSet() {
		return nil, nil
	}
	t := &talk{guards: c.Notify.Watchdog > 0, said: Said{Watchdog: c.Notify.Watchdog}}
	uid := os.Getuid()
	if attr.Credential != nil {
		uid = int(attr.Credential.Uid)
	}
	var err error
	t.socket, err = notify.Listen(notify.Options{UID: uid, Member: t.member, Deliver: t.deliver})
	if err != nil {
		return nil, err
	}
	attr.Env = lastOfEach(append(attr.Env, notify.Environ(t.socket.Path(), c.Notify.Watchdog)...))
	return t, nil
}

// member is false of everybody as long as there is no process.
func (t *talk) member(pid int) bool { return t.proc != nil && t.proc.member(pid) }

// listen begins to hear what the process says. What it has said already waits
// in the socket.
func (p *proc) listen(ctx context.Context) {
	t := p.talk
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.proc, t.ctx = p, ctx
	var err error
	t.watch, err = theOne.add(t.socket.FD(), func() { go t.read() })
	if err != nil {
		p.handle.Fail(err)
	}
}

// read takes what there is, and waits for more when that may be read.
func (t *talk) read() {
	wait := t.socket.Read()
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.over:
	case wait > 0:
		t.pause = time.AfterFunc(wait, func() { theOne.arm(t.watch) })
	default:
		theOne.arm(t.watch)
	}
}

// deliver takes a message. The socket calls it for one after the other.
func (t *talk) deliver(m notify.Message) {
	if t.proc == nil { // it did not start
		return
	}
	if shown := t.hear(m); shown {
		t.publish()
	}
	if m.Has(notify.Ready) {
		t.proc.signs.take(messageSign)
	}
	if m.Has(notify.Trigger) && t.ctx.Err() == nil {
		t.proc.handle.Fail(&WatchdogError{})
	}
}

// hear notes what is said, and reports whether a snapshot shows it.
func (t *talk) hear(m notify.Message) (shown bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.said.line()
	s := &t.said
	if m.Has(notify.Ready) {
		s.Ready, s.Reloading = true, false
	}
	if m.Has(notify.Reloading) {
		s.Reloading = true
	}
	if m.Has(notify.Stopping) {
		s.Stopping = true
	}
	if m.Has(notify.Status) {
		s.Status = m.Status
	}
	if m.Has(notify.Errno) {
		s.Errno = m.Errno
	}
	if m.Has(notify.Extend) {
		t.until = time.Now().Add(min(m.Extend, mostExtension))
	}
	if m.Has(notify.MainPID) {
		t.holdMain(m)
	}
	t.feed(m)
	return s.line() != before
}

// feed sees to the watchdog.
func (t *talk) feed(m notify.Message) {
	now := time.Now()
	if m.Has(notify.Beat) {
		t.said.Beat = now
	}
	if m.Has(notify.Watchdog) && t.guards {
		t.said.Watchdog = m.Watchdog
	}
	if t.watchdog == nil || t.over || !m.Has(notify.Beat) && !m.Has(notify.Watchdog) && !m.Has(notify.Extend) {
		return
	}
	wait := t.said.Watchdog
	if t.said.Stopping {
		wait = max(wait, time.Until(t.until))
	} else if !m.Has(notify.Beat) && !m.Has(notify.Watchdog) {
		return
	}
	t.wind(wait)
}

// wind starts the watchdog anew.
func (t *talk) wind(wait time.Duration) {
	t.watchdog.Stop()
	if t.said.Watchdog > 0 {
		t.watchdog.Reset(wait)
	}
}

// started has signs of life waited for from now on. What time was asked for
// was meant for the start.
func (p *proc) started() {
	t := p.talk
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.until = time.Time{}
	if !t.guards {
		return
	}
	t.watchdog = time.AfterFunc(time.Hour, t.starve)
	t.wind(t.said.Watchdog)
}

// starve is called when there was no sign of life in time.
func (t *talk) starve() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.over && t.ctx.Err() == nil && t.said.Watchdog > 0 {
		t.proc.handle.Fail(&WatchdogError{Interval: t.said.Watchdog})
	}
}

// publish hands out what a snapshot shows.
func (t *talk) publish() {
	t.publishing.Lock()
	defer t.publishing.Unlock()
	child.Publish(t.ctx, t.proc.facts())
}

// hangUp takes what the process has said before it ended.
func (p *proc) hangUp() { p.talk.close() }

// close ends the talk and removes the socket.
func (t *talk) close() {
	if t == nil {
		return
	}
	t.mu.Lock()
	theOne.remove(t.watch)
	for _, timer := range []*time.Timer{t.pause, t.watchdog} {
		if timer != nil {
			timer.Stop()
		}
	}
	t.over = true
	t.mu.Unlock()
	t.socket.Close()
	if t.main != nil { // nobody sets it any more
		_ = t.main.Close()
	}
}

// extension is how much more time the process has asked for.
func (p *proc) extension() time.Duration {
	if p.talk == nil {
		return 0
	}
	p.talk.mu.Lock()
	defer p.talk.mu.Unlock()
	return max(0, time.Until(p.talk.until))
}

// said is what the process has told its socket.
func (p *proc) said() Said {
	if p.talk == nil {
		return Said{}
	}
	p.talk.mu.Lock()
	defer p.talk.mu.Unlock()
	s, c := p.talk.said, p.talk.socket.Counters()
	s.Taken, s.Refused, s.Truncated, s.Unknown, s.Throttled = c.Taken, c.Refused, c.Truncated, c.Unknown, c.Throttled
	return s
}
