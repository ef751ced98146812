package process

import (
	"context"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/coppice-go/coppice/child"
)

// A proc is a started process. There is no group here, and no way to ask it to
// end: a stop is a kill, and the descendants stay.
type proc struct {
	*wiring
	process *os.Process
	exited  chan struct{}
	err     error // written before exited is closed
}

func start(ctx context.Context, c Command) (*proc, error) {
	program, err := exec.LookPath(c.Path)
	if err != nil {
		return nil, startError(c, "there is no such program", err)
	}
	w, err := wire(ctx, c)
	if err != nil {
		return nil, startError(c, "cannot connect its output", err)
	}
	p := &proc{wiring: w, exited: make(chan struct{})}
	attr := os.ProcAttr{Dir: c.Dir, Env: environ(c.Env), Files: w.handles()}
	p.process, err = os.StartProcess(program, append([]string{c.Path}, c.Args...), &attr)
	w.closeEnds()
	if err != nil {
		w.abandon()
		return nil, startError(c, "cannot start", err)
	}
	w.pumpOut()
	go p.watch()
	return p, nil
}

func (w *wiring) handles() []*os.File {
	files := []*os.File{os.Stdin, os.Stdout, os.Stderr}
	for i, f := range w.files {
		if f != nil {
			files[i] = f
		}
	}
	return files
}

func (p *proc) watch() {
	defer close(p.exited)
	state, err := p.process.Wait()
	switch {
	case err != nil:
		p.err = ErrStatusLost
	case state.ExitCode() != 0:
		p.err = &child.StatusError{Code: state.ExitCode()}
	}
}

func (p *proc) terminate() error { return p.kill() }

// kill kills the process. That it has ended already is no error.
func (p *proc) kill() error {
	if err := p.process.Kill(); err != nil && err != os.ErrProcessDone {
		return err
	}
	return nil
}

func (p *proc) finish(context.Context) error {
	p.collect()
	awaitDelivery(p.pumps, time.Now().Add(2*deliveryWait))
	return p.err
}

// obeyed knows the code that a kill leaves.
func obeyed(s *child.StatusError) bool { return s.Signal == syscall.Signal(0) && s.Code == 1 }
