package isolated

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/thejerf/suture/v4"

	"github.com/coppice-go/coppice/child"
)

// beatTime is the time between two looks at whether the function has beaten,
// where somebody wants to know.
const beatTime = 25 * time.Millisecond

// copied is this program, if it is a copy.
type copied struct {
	sender
	run *run
}

func newCopy(conn net.Conn) *copied { return &copied{sender: sender{conn: conn}} }

// main is all that a copy does.
func (c *copied) main() {
	in := bufio.NewReader(c.conn)
	first, err := readFrame(in)
	if err != nil || first.kind != task {
		os.Exit(1) // there is no parent
	}
	var t taskMessage
	if err := json.Unmarshal(first.payload, &t); err != nil {
		c.refuse("the task cannot be read: " + err.Error())
	}
	if mine := build(); mine != t.Build {
		c.refuse("the program on disk is not the one that runs: it was replaced")
	}
	f, err := functions.find(t)
	if err != nil {
		c.refuse(err.Error())
	}
	c.run = newRun(c, t)
	slog.SetDefault(c.run.log)
	if c.send(hello, nil) != nil {
		os.Exit(1)
	}
	go c.listen(in)
	if t.Beats {
		go c.beat()
	}
	done := make(chan endMessage)
	go func() { done <- c.call(f) }()
	c.exit(<-done)
}

// call runs the function in a goroutine that it may end.
func (c *copied) call(f body) (m endMessage) {
	over := make(chan struct{})
	go func() {
		defer close(over)
		var (
			exit   child.Exit
			result any
		)
		defer func() { m = c.run.conclude(&exit, result) }() // also after a Goexit
		child.Serve(c.run, child.Func(func(ctx context.Context) (err error) {
			result, err = f(ctx)
			return err
		}), &exit, false)
	}()
	<-over
	return m
}

// conclude is what the parent is told of the end of the function.
func (r *run) conclude(exit *child.Exit, result any) (m endMessage) {
	var panicked *child.PanicError
	err := exit.AsError()
	switch {
	case err == nil:
		var e error
		if m.Result, e = json.Marshal(result); e != nil {
			return endMessage{Failed: true, Text: "isolated: the result has no form in JSON: " + e.Error()}
		}
		if n := len(m.Result); n > MaxValue {
			return endMessage{Failed: true, Text: fmt.Sprintf("isolated: the result has %d bytes in JSON; at most %d are allowed", n, MaxValue)}
		}
	case exit.Kind == child.Panicked && errors.As(err, &panicked):
		m.Panicked, m.Text, m.Stack = true, panicked.Error(), panicked.Stack()
	case exit.Kind == child.Goexited:
		m.Goexit = true
	case r.Err() != nil && (errors.Is(err, r.Err()) || errors.Is(err, context.Cause(r))):
		// it was told to stop, and has
	default:
		m.Failed, m.Text = true, exit.Text()
		m.Never, m.Terminate = errors.Is(err, suture.ErrDoNotRestart), errors.Is(err, suture.ErrTerminateSupervisorTree)
	}
	return m
}

// exit ends the copy with its last word.
func (c *copied) exit(m endMessage) {
	code := 0
	switch {
	case m.Panicked:
		code = 2 // as Go has it
	case m.Failed || m.Goexit:
		code = 1
	}
	c.within(listening)
	if c.send(end, m) != nil {
		code = 1
	}
	os.Exit(code)
}

// refuse ends the copy, which has nothing to run: without a reason, because
// there is no hook.
func (c *copied) refuse(why string) {
	c.within(time.Second)
	_ = c.sendText(refusal, []byte(why)) // the code says it too
	os.Exit(1)
}

// listen does what the parent says. Its end is that of the copy.
func (c *copied) listen(in *bufio.Reader) {
	for {
		f, err := readFrame(in)
		if err != nil {
			os.Exit(1)
		}
		switch f.kind {
		case stop:
			var m stopMessage
			_ = json.Unmarshal(f.payload, &m) // a stop without a reason is one
			c.run.stop(m)
		case killed:
			c.run.kill()
		case ping:
			go c.answer(f.payload)
		}
	}
}

// answer answers a ping.
func (c *copied) answer(question []byte) {
	var m pingMessage
	if json.Unmarshal(question, &m) != nil {
		return
	}
	if err := c.run.ask(); err != nil {
		m.Err = err.Error()
	}
	_ = c.send(pong, m) // without a parent there is no copy
}

// beat passes on that the function has beaten.
func (c *copied) beat() {
	for range time.Tick(beatTime) {
		if c.run.heart.Take() {
			_ = c.send(beat, nil) // as above
		}
	}
}
