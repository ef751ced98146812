package metrics

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/coppice-go/coppice/supervisor"
)

// happening is an event as JSON.
type happening struct {
	Seq         uint64    `json:"seq"`
	Time        time.Time `json:"time"`
	Kind        string    `json:"kind"`
	Path        string    `json:"path,omitempty"`
	Incarnation uint64    `json:"incarnation,omitempty"`
	Reason      string    `json:"reason,omitempty"`
	Cause       string    `json:"cause,omitempty"`
	Text        string    `json:"text,omitempty"`
	Next        string    `json:"next,omitempty"`
	Wait        float64   `json:"wait_seconds,omitempty"`
	Missed      uint64    `json:"missed,omitempty"`
}

func happeningOf(e *supervisor.Event) happening {
	h := happening{
		Seq: e.Seq, Time: e.Time, Kind: e.Kind.String(), Path: e.Path, Incarnation: e.Incarnation,
		Reason: e.Reason.String(), Missed: e.Missed,
	}
	switch e.Kind {
	case supervisor.ChildExited:
		h.Next, h.Wait = e.Next.String(), e.Wait.Seconds()
		fallthrough
	case supervisor.SupervisorGaveUp:
		h.Cause, h.Text = e.Exit.Cause().String(), clean(e.Exit.String())
	}
	return h
}

// message makes a server-sent event of a value.
func message(to *strings.Builder, kind string, id uint64, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		return
	}
	if id > 0 {
		fmt.Fprintf(to, "id: %d\n", id)
	}
	fmt.Fprintf(to, "event: %s\ndata: %s\n\n", kind, text)
}

// frame is what happened in a beat, encoded once for all viewers.
type frame struct {
	number uint64 // frames are numbered without a gap
	last   uint64 // the number of the last event in it, or before it
	events string
	rows   string // the places that have changed
}

// held is how many frames wait for viewers who are slow.
const held = 64

// burst is how many events a frame has at most. Of a storm, its viewers are
// told the number of the rest.
const burst = 200

// feed looks at the tree at most ten times a second while somebody views it,
// and tells all viewers the same.
type feed struct {
	site *site

	mu      sync.Mutex // protects what follows
	viewers int
	stop    context.CancelFunc // ends the looking
	frames  []*frame
	number  uint64        // of the last frame
	last    uint64        // the number of the last event in it
	news    chan struct{} // closed at the next frame
	audits  []string      // messages that wait for the next frame
}

func (f *feed) init(s *site) {
	f.site, f.news = s, make(chan struct{})
}

// maxViewers bounds how many may view at once.
const maxViewers = 1000

// join makes room for a viewer, unless there are too many. It returns up to
// which frame and event others tell what was before.
func (f *feed) join() (number, last uint64, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.viewers >= maxViewers {
		return 0, 0, false
	}
	f.viewers++
	if f.viewers == 1 {
		ctx, cancel := context.WithCancel(context.Background())
		f.stop, f.last, f.frames = cancel, f.site.sup.Seq(), nil
		before := map[string]gist{}
		f.changed(before) // what is so already is no news
		go f.run(ctx, f.last, before)
	}
	return f.number, f.last, true
}

// leave is the end of a viewer.
func (f *feed) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.viewers--
	if f.viewers == 0 {
		f.stop()
	}
}

// audit tells viewers what an operator has done.
func (f *feed) audit(do Action, path, text string) {
	var m strings.Builder
	message(&m, "audit", 0, happening{Time: time.Now(), Kind: string(do), Path: clean(path), Text: text})
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.viewers > 0 && len(f.audits) < burst {
		f.audits = append(f.audits, m.String())
	}
}

// after are the frames behind a number, a channel that is closed when there
// are more, and whether some are lost.
func (f *feed) after(number uint64) (frames []*frame, news <-chan struct{}, lost bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	missing := f.number - number
	if missing > uint64(len(f.frames)) {
		lost, missing = true, uint64(len(f.frames))
	}
	return f.frames[uint64(len(f.frames))-missing:], f.news, lost
}

// run makes a frame each beat in which something has happened.
func (f *feed) run(ctx context.Context, last uint64, before map[string]gist) {
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for ticks := 0; ; ticks++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		events, upto := f.events(last)
		rows := ""
		if upto != last || ticks%10 == 0 { // loads change without an event
			rows = f.changed(before)
		}
		last = upto
		f.publish(ctx, &frame{last: last, events: events, rows: rows})
	}
}

// publish gives viewers a frame, unless it is empty or another feed has taken
// over.
func (f *feed) publish(ctx context.Context, fr *frame) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fr.events += strings.Join(f.audits, "")
	f.audits = nil
	if ctx.Err() != nil || fr.events == "" && fr.rows == "" {
		return
	}
	f.number++
	f.last, fr.number = fr.last, f.number
	f.frames = append(f.frames, fr)
	if len(f.frames) > held {
		f.frames = append([]*frame(nil), f.frames[1:]...)
	}
	close(f.news)
	f.news = make(chan struct{})
}

// events are the messages of what has happened after that event, and the
// number of the last.
func (f *feed) events(last uint64) (text string, upto uint64) {
	now := f.site.sup.Seq()
	if now == last {
		return "", last
	}
	var m strings.Builder
	skipped := uint64(0)
	if now-last > burst {
		skipped = now - last - burst
		message(&m, "missed", 0, happening{Seq: now - burst, Kind: "missed", Missed: skipped, Time: time.Now()})
	}
	return m.String() + f.replay(last+skipped, now), now
}

// replay are the messages of the events between two numbers that are held.
func (f *feed) replay(after, upto uint64) string {
	var m strings.Builder
	if after >= upto {
		return ""
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for e := range f.site.sup.Events(ctx, after) {
		if e.Seq > upto {
			break
		}
		kind := "event"
		if e.Kind == supervisor.Missed {
			kind = "missed"
		}
		message(&m, kind, e.Seq, happeningOf(&e))
		if e.Seq == upto {
			break
		}
	}
	return m.String()
}

// gist is what of a row tells whether it has changed.
type gist struct {
	row  row
	next time.Time
	last uint64
}

func gistOf(r *row) gist {
	g := gist{row: *r}
	if r.NextAttempt != nil {
		g.next = *r.NextAttempt
	}
	if r.Last != nil {
		g.last = r.Last.Incarnation
	}
	g.row.NextAttempt, g.row.Last = nil, nil
	return g
}

// changed is a message with the places that are not as before, and those that
// have gone.
func (f *feed) changed(before map[string]gist) string {
	var rows []*row
	var gone []string
	view := f.site.view(f.site.sup.Ref().Path())
	there := make(map[string]struct{}, len(view.Places))
	for i := range view.Places {
		r := &view.Places[i]
		there[r.Path] = struct{}{}
		if g := gistOf(r); before[r.Path] != g {
			before[r.Path] = g
			rows = append(rows, r)
		}
	}
	for path := range before {
		if _, is := there[path]; !is {
			delete(before, path)
			gone = append(gone, path)
		}
	}
	if len(rows) == 0 && len(gone) == 0 {
		return ""
	}
	var m strings.Builder
	message(&m, "rows", 0, struct {
		Places []*row   `json:"places"`
		Gone   []string `json:"gone,omitempty"`
	}{rows, gone})
	return m.String()
}
