package process

import (
	"context"
	"time"

	"github.com/coppice-go/coppice/child"
)

// A pump carries one stream of a process from its pipe to its sink. It has a
// goroutine while there is something to carry; only a sink that never returns
// keeps that beyond the last line.
type pump struct {
	ctx     context.Context // of the run; only its values are used
	name    string
	sink    sink
	over    func() // is called after the last line
	journal *journal
	rate    *rate // nil if all are delivered
	pipe    pipe
	queue   *queue // between it and the sink, with Drop

	// What follows belongs to the goroutine that reads.
	cut                  cutter
	line                 line   // is being delivered
	lost                 uint64 // lines that the sink did not take
	dropped              uint64 // lines that it was not given
	complained, reported bool   // once is enough
	index                uint8  // 0 for the output, 1 for the error output
}

func newPump(ctx context.Context, o Output, index int, j *journal) *pump {
	name := o.Label
	if name == "" {
		name = [...]string{"stdout", "stderr"}[index]
	}
	p := &pump{
		ctx: context.WithoutCancel(ctx), name: name, index: uint8(index), journal: j,
	}
	j.join()
	if o.Rate > 0 {
		p.rate = &rate{limit: o.Rate}
	}
	p.sink, p.over = o.sink(ctx, name)
	if o.Drop {
		p.queue = &queue{pump: p}
	}
	p.cut.raw = o.Raw
	return p
}

// run delivers what there is, until there is nothing more for now or for ever.
// It begins with what an earlier one left undone, whose goroutine the sink has
// ended.
func (p *pump) run() {
	for {
		for l, ok := p.cut.next(); ok; l, ok = p.cut.next() {
			p.take(l)
		}
		b, over := p.pipe.read()
		if over {
			break
		}
		if b == nil {
			return
		}
		p.journal.hear()
		p.journal.counts[p.index].bytes.Add(uint64(len(b)))
		p.cut.in = b
	}
	p.finish()
}

// finish delivers the last line, which nothing has ended, and what was lost.
func (p *pump) finish() {
	if l, ok := p.cut.rest(); ok {
		p.take(l)
	}
	if p.queue != nil {
		p.queue.finish()
		return
	}
	p.end()
}

func (p *pump) end() {
	lost := p.lost + p.dropped
	if !p.reported && lost > 0 {
		p.reported = true
		_ = p.contain(child.Func(func(ctx context.Context) error {
			child.Logger(ctx).Warn("output was lost", "stream", p.name, "lines", lost)
			return nil
		}))
	}
	p.over()
	p.journal.delivered()
}

// take counts a line and delivers it, unless there are too many of them.
func (p *pump) take(l line) {
	counts := &p.journal.counts[p.index]
	counts.lines.Add(1)
	p.journal.add(int(p.index), p.name, l)
	switch {
	case !p.rate.allows():
		p.dropped++
		counts.dropped.Add(uint64(len(l.text)))
	case p.queue != nil:
		p.queue.add(l)
	default:
		p.deliver(l)
	}
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
	p.journal.counts[p.index].dropped.Add(uint64(len(l.text)))
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
	if p.queue != nil {
		p.queue.drain()
		return
	}
	p.run()
}

func (p *pump) complain(exit child.Exit) {
	if p.complained {
		return
	}
	p.complained = true
	_ = p.contain(child.Func(func(ctx context.Context) error {
		child.Logger(ctx).Warn("output was not taken", "stream", p.name, "err", exit.String())
		return nil
	}))
}

// collect ends the stream with what lies in the pipe.
func (p *pump) collect() {
	if p.pipe.collect() {
		go p.run()
	}
}

// rate bounds the lines of each second.
type rate struct {
	limit int
	since time.Time
	lines int
}

func (r *rate) allows() bool {
	if r == nil {
		return true
	}
	if now := time.Now(); now.Sub(r.since) >= time.Second {
		r.since, r.lines = now, 0
	}
	r.lines++
	return r.lines <= r.limit
}
