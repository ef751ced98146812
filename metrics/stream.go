package metrics

import (
	"net/http"
	"strconv"
	"time"
)

const (
	// writeTime is how long a viewer may take to take a frame.
	writeTime = 10 * time.Second
	// quietTime is how long nothing is said before a comment keeps the
	// connection open.
	quietTime = 15 * time.Second
)

// serveEvents streams what happens. A Last-Event-ID header, or ?after=, says
// which event was the last that is known; without one it begins now. With
// ?rows it also tells which places have changed, for the page.
func (s *site) serveEvents(w http.ResponseWriter, r *http.Request) {
	number, last, ok := s.feed.join()
	if !ok {
		http.Error(w, "too many viewers", http.StatusServiceUnavailable)
		return
	}
	defer s.feed.leave()
	w.Header().Set("Content-Type", "text/event-stream")
	v := viewer{to: w, control: http.NewResponseController(w), rows: r.URL.Query().Has("rows")}
	known := r.Header.Get("Last-Event-ID")
	if known == "" {
		known = r.URL.Query().Get("after")
	}
	text := "retry: 1000\n\n"
	if after, err := strconv.ParseUint(known, 10, 64); err == nil {
		text += s.feed.replay(after, last)
	}
	if v.write(text) {
		v.follow(r, &s.feed, number)
	}
}

// viewer is somebody who follows a feed.
type viewer struct {
	to      http.ResponseWriter
	control *http.ResponseController
	rows    bool
}

// write writes and reports whether that went well and in time.
func (v *viewer) write(text string) bool {
	_ = v.control.SetWriteDeadline(time.Now().Add(writeTime)) // where there is one to set
	if _, err := v.to.Write([]byte(text)); err != nil {
		return false
	}
	return v.control.Flush() == nil
}

// follow writes the frames behind a number until the viewer goes or falls too
// far behind: it then comes again and knows the last event that it got.
func (v *viewer) follow(r *http.Request, f *feed, number uint64) {
	quiet := time.NewTimer(quietTime)
	defer quiet.Stop()
	done := f.site.sup.Done()
	var end <-chan time.Time // after that of the tree, when all has been told
	for {
		frames, news, lost := f.after(number)
		if lost {
			return
		}
		for _, fr := range frames {
			number = fr.number
			if !v.write(v.text(fr)) {
				return
			}
		}
		if len(frames) > 0 {
			quiet.Reset(quietTime)
			continue
		}
		select {
		case <-news:
		case <-quiet.C:
			if !v.write(": nothing new\n\n") {
				return
			}
			quiet.Reset(quietTime)
		case <-r.Context().Done():
			return
		case <-done:
			done, end = nil, time.After(3*beat)
		case <-end:
			return
		}
	}
}

// text is what of a frame the viewer wants.
func (v *viewer) text(fr *frame) string {
	if v.rows {
		return fr.events + fr.rows
	}
	return fr.events
}
