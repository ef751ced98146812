package process

import (
	"context"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/coppice-go/coppice/child"
)

// A proc is a started process. There is no group here, and no way to ask it to
// end: a stop is a kill, and the descendants stay.
type proc struct {
	command  *Command // until it has started
	rules    rules
	process  *os.Process
	pid      int
	began    time.Time
	exited   chan struct{}
	err      error // written before exited is closed
	alone    bool  // makes no difference here
	handle   *Handle
	leave    func() // ends what looks at the running process
	followed bool   // never here
	pumps    []*pump
	input    *os.File
	streams  map[string]net.Conn
	journal  journal
	signs    *signs
}

func start(ctx context.Context, c *Command) (*proc, error) {
	if err := c.Before.call(ctx, nil); err != nil {
		return nil, c.failed("hook", "", err)
	}
	program, err := exec.LookPath(c.Path)
	if err != nil {
		return nil, c.failed("lookup", "there is no such program", err)
	}
	p := &proc{command: c, rules: c.rules(), exited: make(chan struct{}), signs: newSigns(*c)}
	p.journal.signs = p.signs
	theirs, err := p.wire(ctx)
	defer closeAll(theirs)
	if err != nil {
		p.abandon()
		return nil, c.failed("descriptors", "", err)
	}
	attr := os.ProcAttr{Dir: c.Dir, Env: c.environ(), Files: theirs}
	p.began = time.Now()
	p.process, err = os.StartProcess(program, append([]string{c.Path}, c.Args...), &attr)
	if err != nil {
		p.abandon()
		return nil, c.failed("exec", "", err)
	}
	p.pid, p.handle = p.process.Pid, newHandle(p)
	for _, pump := range p.pumps {
		go pump.run()
	}
	go p.watch()
	return p, nil
}

// environment is what the process finds.
func (c Command) environment() ([]string, error) { return c.environ(), nil }

// wire opens what c needs, and returns what the process gets.
func (p *proc) wire(ctx context.Context) (theirs []*os.File, err error) {
	theirs = make([]*os.File, 3)
	switch p.command.Stdin.From {
	case Empty:
		theirs[0], err = os.Open(os.DevNull)
	case Piped:
		theirs[0], p.input, err = os.Pipe()
	case Ours:
		theirs[0] = os.Stdin
	}
	if err != nil {
		return theirs, err
	}
	for i, o := range []Output{p.command.Stdout, p.command.Stderr} {
		if theirs[i+1], err = p.connect(ctx, o, i); err != nil {
			return theirs, err
		}
	}
	return theirs, nil
}

func (p *proc) connect(ctx context.Context, o Output, i int) (*os.File, error) {
	switch o.To {
	case Inherit:
		return []*os.File{os.Stdout, os.Stderr}[i], nil
	case Discard:
		return os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	}
	ours, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	pump := newPump(ctx, o, i, &p.journal)
	pump.pipe.file = ours
	p.pumps = append(p.pumps, pump)
	return theirs, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		if f != nil && f != os.Stdin && f != os.Stdout && f != os.Stderr {
			_ = f.Close()
		}
	}
}

func (p *proc) abandon() {
	for _, pump := range p.pumps {
		_ = pump.pipe.file.Close()
	}
	if p.input != nil {
		_ = p.input.Close()
	}
}

func (p *proc) watch() {
	defer close(p.exited)
	state, err := p.process.Wait()
	switch {
	case err != nil:
		p.err = ErrStatusLost
	case state.ExitCode() != 0:
		p.err = &child.StatusError{Code: state.ExitCode(), Lived: time.Since(p.began)}
	}
}

// see sees the process to its end.
func (p *proc) see(ctx context.Context) error {
	defer p.leave()
	told := false
	select {
	case <-p.exited:
	case <-ctx.Done():
		told = true
	case <-p.handle.wake: // it has failed
	}
	p.handle.idle.rest()
	if !isClosed(p.exited) {
		_ = p.process.Kill() // it may have ended
		<-p.exited
	}
	for _, pump := range p.pumps {
		pump.collect()
	}
	if p.input != nil {
		_ = p.input.Close()
	}
	p.journal.await(2 * deliveryWait)
	p.journal.close()
	p.handle.told, p.handle.status = told, p.err
	if p.signs.late(told) {
		child.Ready(ctx) // its last words were the sign
	}
	err := p.result(told)
	p.handle.end(err)
	return err
}

// result knows the code that a kill leaves.
func (p *proc) result(told bool) error {
	err := p.rules.verdict(false, p.err)
	if status, ok := p.err.(*child.StatusError); ok && told && status.Code == 1 {
		err = nil
	}
	if err != nil && p.handle.reason() == nil {
		p.handle.Fail(err)
	}
	p.handle.settle()
	if reason := p.handle.reason(); reason != nil {
		return reason
	}
	return err
}

// signalAlive can kill, and nothing else.
func (h *Handle) signalAlive(_ Scope, sig syscall.Signal) error {
	if !h.Alive() {
		return ErrEnded
	}
	if sig != syscall.SIGKILL && sig != syscall.SIGTERM {
		return syscall.EWINDOWS
	}
	return h.proc.process.Kill()
}

func (p *proc) reload(context.Context) error { return syscall.EWINDOWS }

// supported reports what this system cannot do, as a mistake.
func (c Command) supported(m *mistakes) {
	const reason = "cannot be had on this system"
	m.add(c.Shell, "Shell", c.Shell, reason)
	m.add(len(c.Sockets) > 0, "Sockets", nil, reason)
	m.add(len(c.Streams) > 0, "Streams", nil, reason)
	m.add(!c.User.isZero(), "User", c.User.Name, reason)
	m.add(c.System.isSet(), "System", nil, reason)
	m.add(c.Stop != nil, "Stop", nil, reason)
	m.add(c.Abort != nil, "Abort", nil, reason)
	m.add(c.Reload != nil, "Reload", nil, reason)
	m.add(c.Containment != (Containment{}), "Containment", nil, reason)
	m.add(c.Detach, "Detach", c.Detach, reason)
	m.add(c.Notify.isSet(), "Notify", nil, reason)
	m.add(c.Ready.Descriptor != 0, "Ready.Descriptor", c.Ready.Descriptor, reason)
	m.add(c.PIDFile != "", "PIDFile", c.PIDFile, reason)
}

// isSet reports whether anything is asked of the system.
func (s System) isSet() bool {
	return s.Umask.set || s.Nice != 0 || s.IO != (IOPriority{}) || s.OOMScore != 0 || s.NoNewPrivileges ||
		s.Chroot != "" || len(s.CPUs)+len(s.Limits)+len(s.Capabilities) > 0
}

// facts are what a snapshot shows.
func (p *proc) facts() child.Facts { return child.Facts{PID: p.pid} }

// follow is Linux's: elsewhere [Command.Validate] refuses a PIDFile.
func (p *proc) follow(context.Context) {}

// A Notify is refused by [Command.Validate] here.
func (*proc) listen(context.Context)      {}
func (*proc) started()                    {}
func (*proc) moveOn(context.Context) bool { return false }
func (*proc) extension() time.Duration    { return 0 }
func (*proc) said() Said                  { return Said{} }
