package process

import (
	"context"
	"os"
)

// A wiring is what a process is connected to.
type wiring struct {
	files [3]*os.File // what the process gets as 0, 1 and 2; nil is our own
	ends  []*os.File  // those of files that we close once the process has them
	pumps []*pump
}

// wire opens what c needs. After an error nothing is open.
func wire(ctx context.Context, c Command) (*wiring, error) {
	w := new(wiring)
	err := w.open(ctx, c)
	if err != nil {
		w.closeEnds()
		w.abandon()
		return nil, err
	}
	return w, nil
}

func (w *wiring) open(ctx context.Context, c Command) (err error) {
	if w.files[0], err = os.OpenFile(os.DevNull, os.O_RDWR, 0); err != nil {
		return err
	}
	w.ends = append(w.ends, w.files[0])
	if w.files[1], err = w.connect(ctx, c.Stdout, "stdout"); err != nil {
		return err
	}
	if c.Stdout.shares(c.Stderr) {
		w.files[2] = w.files[1]
		return nil
	}
	w.files[2], err = w.connect(ctx, c.Stderr, "stderr")
	return err
}

// connect is the process's end of one stream, with a pump at ours if the lines
// come to us.
func (w *wiring) connect(ctx context.Context, o Output, name string) (*os.File, error) {
	switch o.To {
	case Inherit:
		return nil, nil
	case Discard:
		return w.files[0], nil
	}
	ours, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	w.ends = append(w.ends, theirs)
	p := newPump(ctx, name, o.sink(ctx, name))
	w.pumps = append(w.pumps, p)
	return theirs, p.pipe.init(ours)
}

// closeEnds closes the process's ends on our side. As long as one is open here
// or has gone to another process, the stream has no end; nothing waits for it.
func (w *wiring) closeEnds() {
	for _, f := range w.ends {
		_ = f.Close() // nothing was written through it
	}
}

// abandon closes the pipes of a process that did not start.
func (w *wiring) abandon() {
	for _, p := range w.pumps {
		p.pipe.close()
	}
}

// pumpOut starts the pumps.
func (w *wiring) pumpOut() {
	for _, p := range w.pumps {
		go p.run()
	}
}

// collect takes what lies in the pipes of a process that has ended, for the
// pumps to deliver, and closes them.
func (w *wiring) collect() {
	for _, p := range w.pumps {
		p.pipe.collect()
	}
}
