package isolated

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
)

const (
	// firstWord is how long a copy has for its first word.
	firstWord = 5 * time.Second
	// listening is how long a copy may not read.
	listening = 5 * time.Second
)

// A talk is what the parent and one copy have to say to each other. It reads
// in a goroutine of its own, which nothing holds up.
type talk struct {
	sender
	gate   *gate
	handle *process.Handle
	task   taskMessage
	heart  *child.Heart
	clock  *time.Timer // of the first word
	said   atomic.Bool // the first word has come
	done   chan struct{}

	refused bool        // the copy has nothing to run; written before done is closed
	why     string      // of that; empty for want of a hook
	ended   *endMessage // written before done is closed
	records *recorder

	asking sync.Mutex // protects what follows
	id     uint64
	asked  map[uint64]chan error
	silent bool // nothing more comes
}

func newTalk(g *gate, h *process.Handle) *talk {
	return &talk{
		gate: g, handle: h, task: g.task, heart: g.Pulse(), done: make(chan struct{}),
		asked: map[uint64]chan error{}, records: newRecorder(g.ctx),
	}
}

// begin tells the copy what it is for, and begins to listen.
func (t *talk) begin() {
	conn, err := duplicate(t.handle.Stream(talkStream))
	if err != nil {
		t.fail(err)
		close(t.done)
		return
	}
	t.conn = conn
	talks.add(t)
	t.clock = time.AfterFunc(firstWord, func() { t.fail(ErrNoWord) })
	go t.greet()
	go t.listen()
}

// duplicate is a connection of its own: that of the handle is closed with the
// process, whatever lies in it.
func duplicate(conn net.Conn) (net.Conn, error) {
	file, ok := conn.(interface{ File() (*os.File, error) })
	if !ok {
		return nil, errors.New("isolated: there is no connection to the copy")
	}
	f, err := file.File()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return net.FileConn(f)
}

func (t *talk) greet() {
	t.within(firstWord)
	if err := t.send(task, t.task); err == nil {
		_ = t.conn.SetWriteDeadline(time.Time{})
	}
}

// fail ends the process at once: it does not do what a copy does.
func (t *talk) fail(err error) {
	if !t.said.Load() {
		err = &child.StartError{Err: err}
	}
	t.handle.Fail(err)
	t.gate.cut()
}

// listen takes what comes, until nothing more does.
func (t *talk) listen() {
	defer close(t.done)
	defer t.hush()
	for r := bufio.NewReader(t.conn); ; {
		f, err := readFrame(r)
		if err == nil {
			err = t.take(f)
		} else if !errors.Is(err, ErrMessage) {
			return // its end is seen by others
		}
		if err != nil {
			t.fail(err)
			return
		}
	}
}

// take does what a message says. It waits for nobody.
func (t *talk) take(f frame) error {
	if first := f.kind == hello || f.kind == refusal; first == t.said.Load() {
		return fmt.Errorf("%w: kind %d came at the wrong time", ErrMessage, f.kind)
	}
	switch f.kind {
	case hello:
		t.said.Store(true)
		t.clock.Stop()
		if !t.gate.callsReady {
			t.gate.sign(copySign)
		}
	case refusal:
		t.refused, t.why = true, oneLine(child.Redact(t.gate.ctx, string(f.payload)))
		t.clock.Stop()
	case ready:
		if t.gate.callsReady {
			t.gate.sign(copySign)
		}
	case beat:
		t.heart.Beat()
	case pong:
		return t.answer(f.payload)
	case record:
		t.records.add(f.payload)
	case status:
		t.gate.setStatus(string(f.payload))
	case end:
		return t.finish(f.payload)
	default:
		return fmt.Errorf("%w: kind %d is for the other side", ErrMessage, f.kind)
	}
	return nil
}

func (t *talk) finish(payload []byte) error {
	m := new(endMessage)
	if err := json.Unmarshal(payload, m); err != nil {
		return fmt.Errorf("%w: %w", ErrMessage, err)
	}
	m.Text, m.Stack = child.Redact(t.gate.ctx, plain(m.Text)), child.Redact(t.gate.ctx, plain(m.Stack))
	t.ended = m
	return nil
}

// close hears out a process that has ended, and waits until all that it has
// said is delivered, or for a second.
func (t *talk) close() {
	if t.conn == nil {
		return
	}
	_ = t.conn.SetReadDeadline(time.Now().Add(lastReport))
	<-t.done
	t.clock.Stop()
	talks.remove(t)
	_ = t.conn.Close()
	t.records.close(lastReport)
}

// answer ends the wait of who has asked.
func (t *talk) answer(payload []byte) error {
	var m pingMessage
	if err := json.Unmarshal(payload, &m); err != nil {
		return fmt.Errorf("%w: %w", ErrMessage, err)
	}
	t.asking.Lock()
	defer t.asking.Unlock()
	c := t.asked[m.ID]
	if c == nil {
		return nil // nobody waits for it any more
	}
	delete(t.asked, m.ID)
	var err error
	if m.Err != "" {
		err = &FunctionError{Text: oneLine(child.Redact(t.gate.ctx, m.Err))}
	}
	c <- err
	return nil
}

// hush ends the wait of all who ask.
func (t *talk) hush() {
	t.asking.Lock()
	defer t.asking.Unlock()
	t.silent = true
	for id, c := range t.asked {
		delete(t.asked, id)
		c <- ErrNotRunning
	}
}

// ask asks the copy whether it is alive.
func (t *talk) ask(ctx context.Context) error {
	c := make(chan error, 1)
	t.asking.Lock()
	t.id++
	id := t.id
	if t.silent {
		t.asking.Unlock()
		return ErrNotRunning
	}
	t.asked[id] = c
	t.asking.Unlock()
	go t.send(ping, pingMessage{ID: id}) // nobody may be reading
	select {
	case err := <-c:
		return err
	case <-ctx.Done():
		t.asking.Lock()
		delete(t.asked, id)
		t.asking.Unlock()
		return context.Cause(ctx)
	}
}

// talks are those with the copies that run, by the run that they belong to.
var talks = partners{all: map[child.Runtime]*talk{}}

type partners struct {
	mu  sync.Mutex // protects all
	all map[child.Runtime]*talk
}

func (p *partners) add(t *talk) {
	if !t.gate.alone {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.all[t.gate.Runtime] = t
	}
}

func (p *partners) remove(t *talk) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all[t.gate.Runtime] == t {
		delete(p.all, t.gate.Runtime)
	}
}

func (p *partners) ping(ctx context.Context) error {
	run := child.FromContext(ctx)
	p.mu.Lock()
	t := p.all[run]
	p.mu.Unlock()
	if t == nil {
		return ErrNotRunning
	}
	return t.ask(ctx)
}
