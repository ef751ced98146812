package metrics

import (
	"fmt"
	"net/http"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/coppice-go/coppice/supervisor"
)

// answerTime is how long the tree may take to say how it stands.
const answerTime = 5 * time.Second

// pulse asks the tree how it stands, once at a time however many want to know.
type pulse struct {
	mu     sync.Mutex // protects answer
	answer chan struct{}
}

// ask is a channel that is closed when the tree has answered.
func (p *pulse) ask(sup *supervisor.Supervisor) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.answer != nil && !isDone(p.answer) {
		return p.answer
	}
	answer := make(chan struct{})
	p.answer = answer
	go func() {
		defer close(answer)
		_, _ = sup.Ref().Count()
	}()
	return answer
}

// healthz answers 200 while the root has not ended with a failure and answers
// at all, whatever its children do: a sick child is the supervisor's business,
// and no reason to restart the whole program.
func (s *site) healthz(w http.ResponseWriter, _ *http.Request) {
	timer := time.NewTimer(answerTime)
	defer timer.Stop()
	select {
	case <-timer.C:
		plainly(w, http.StatusServiceUnavailable, "the tree does not answer\n")
		return
	case <-s.pulse.ask(s.sup):
	}
	if isDone(s.sup.Done()) && s.sup.Wait() != nil {
		plainly(w, http.StatusServiceUnavailable, "the tree has failed\n")
		return
	}
	plainly(w, http.StatusOK, "ok\n")
}

// readyz answers 200 when all that is essential is ready, and 503 during the
// start and from the moment of a stop.
func (s *site) readyz(w http.ResponseWriter, r *http.Request) {
	snap := s.sup.Snapshot()
	var lacks []string
	switch {
	case snap.Draining:
		lacks = append(lacks, snap.Root.Path+": told to stop")
	case snap.Root.State != supervisor.Running:
		lacks = append(lacks, snap.Root.Path+": "+snap.Root.State.String())
	}
	found := map[string]bool{}
	for c := range snap.Root.All() {
		essential := s.essential(c.Path, found)
		if (essential || c.Readiness && !c.Supervisor) && c.State != supervisor.Running {
			lacks = append(lacks, c.Path+": "+unready(c))
		}
	}
	for _, path := range s.Essential {
		if !found[path] && !strings.HasSuffix(path, "/*") {
			lacks = append(lacks, path+": not there")
		}
	}
	if len(lacks) == 0 {
		plainly(w, http.StatusOK, "ok\n")
		return
	}
	text := fmt.Sprintf("not ready: %d\n", len(lacks))
	if r.URL.Query().Has("verbose") {
		sort.Strings(lacks)
		text += strings.Join(lacks, "\n") + "\n"
	}
	plainly(w, http.StatusServiceUnavailable, text)
}

// essential reports whether readiness waits for the child at path, and takes
// note that it was found.
func (s *site) essential(path string, found map[string]bool) bool {
	is := false
	for _, e := range s.Essential {
		above, all := strings.CutSuffix(e, "/*")
		if e == path || all && strings.HasPrefix(path, above+"/") && !strings.Contains(path[len(above)+1:], "/") {
			found[e], is = true, true
		}
	}
	return is
}

// unready is why a child is not ready.
func unready(c *supervisor.Status) string {
	text := c.State.String()
	if c.Held {
		text += ", stopped by an operator"
	}
	if !c.NextAttempt.IsZero() {
		text += ", next attempt at " + c.NextAttempt.UTC().Format(time.RFC3339)
	}
	if n := len(c.Deaths); n > 0 && c.State != supervisor.Starting {
		text += ", last: " + c.Deaths[n-1].Exit.String()
	}
	return text
}

// plainly answers with a text.
func plainly(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text))
}
