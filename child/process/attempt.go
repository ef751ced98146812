package process

import (
	"context"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/internal/apart"
)

// An attempt is one run of a command.
type attempt struct{ command Command }

// Serve starts the process and sees it to its end. While it waits for that, it
// takes little room on its stack: the start, which needs more, has one of its
// own.
func (a *attempt) Serve(ctx context.Context) error {
	var (
		p   *proc
		err error
	)
	if child.Incarnation(ctx) > 1 { // the end of the last run has made the stack grow
		p, err = a.start(ctx)
	} else {
		apart.Call(func() { p, err = a.start(ctx) })
	}
	if err != nil {
		return err
	}
	return p.see(ctx)
}

// start starts the process, and says so when the start is complete.
func (a *attempt) start(ctx context.Context) (*proc, error) {
	p, err := a.begin(ctx)
	if err != nil {
		return nil, err
	}
	child.Publish(ctx, p.handle)
	child.Publish(ctx, p.facts())
	p.listen(ctx)
	if (a.command.PIDFile == "" || p.followed) && p.awaitReady(ctx, a.command.Ready.Within) {
		child.Ready(ctx)
		p.started()
	}
	return p, nil
}

// begin starts the process.
func (a *attempt) begin(ctx context.Context) (*proc, error) {
	c := &a.command
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	p, err := start(ctx, c)
	if err != nil {
		return nil, err
	}
	p.handle.idle.watch(c.Idle, &p.journal, p.handle.Fail)
	if c.PIDFile != "" {
		p.follow(ctx)
	}
	p.settled(ctx)
	return p, nil
}

// settled begins what looks at the running process, and lets go of what only
// the start needed.
func (p *proc) settled(ctx context.Context) {
	p.leave = p.handle.enter(ctx)
	p.command = nil
}
