package process

import (
	"context"
	"time"

	"github.com/coppice-go/coppice/child"
)

// A pump carries one stream of a process from its pipe to its sink, in a
// goroutine of its own. It ends with the last line, whatever the sink does
// meanwhile; only a sink that never returns keeps it.
type pump struct {
	ctx  context.Context // of the run; only its values are used
	name string
	sink sink
	pipe pipe
	done chan struct{} // closed when everything has been delivered

	// What follows belongs to the goroutine of run.
	cut                  cutter
	line                 line   // is being delivered
	lost                 uint64 // lines that the sink did not take
	complained, reported bool   // once is enough
}

func newPump(ctx context.Context, name string, to sink) *pump {
	return &pump{ctx: context.WithoutCancel(ctx), name: name, sink: to, done: make(chan struct{})}
}

// run delivers until the stream is over. It begins with what an earlier run
// left undone, whose goroutine the sink has ended.
func (p *pump) run() {
	for more := true; more; p.cut.in, more = p.pipe.read() {
		for l, ok := p.cut.next(); ok; l, ok = p.cut.next() {
			p.deliver(l)
		}
	}
	if l, ok := p.cut.rest(); ok {
		p.deliver(l)
	}
	if !p.reported && p.lost > 0 {
		p.reported = true
		p.contain(child.Func(p.reportLost))
	}
	close(p.done)
}

// deliver gives l to the sink. A line counts as lost until it has been taken.
// The first loss is reported at once, the number at the end.
func (p *pump) deliver(l line) {
	p.line = l
	p.lost++
	exit := p.contain(p)
	if exit.Kind == child.Normal {
		p.lost--
		return
	}
	p.complain(exit)
}

// Serve gives the current line to the sink, as a child's run, so that every way
// out of it is caught.
func (p *pump) Serve(context.Context) error { return p.sink(p.line) }

// contain runs s, which calls what is not ours. If that ends the goroutine,
// another one takes up the work.
func (p *pump) contain(s child.Service) (exit child.Exit) {
	defer func() {
		if exit.Kind == child.Goexited {
			go p.again(exit)
		}
	}()
	child.Serve(p.ctx, s, &exit, false)
	return exit
}

func (p *pump) again(exit child.Exit) {
	p.complain(exit)
	p.run()
}

func (p *pump) complain(exit child.Exit) {
	if p.complained {
		return
	}
	p.complained = true
	p.contain(child.Func(func(ctx context.Context) error {
		child.Logger(ctx).Warn("output was not taken", "stream", p.name, "err", exit.String())
		return nil
	}))
}

func (p *pump) reportLost(ctx context.Context) error {
	child.Logger(ctx).Warn("output was lost", "stream", p.name, "lines", p.lost)
	return nil
}

// awaitDelivery returns when all pumps have delivered, or at the deadline.
func awaitDelivery(pumps []*pump, deadline time.Time) {
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	for _, p := range pumps {
		select {
		case <-p.done:
		case <-timer.C:
			return
		}
	}
}
