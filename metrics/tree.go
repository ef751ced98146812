package metrics

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/supervisor"
)

// forest is a tree, or a part of it, as JSON: the places in order, each before
// its children.
type forest struct {
	Seq      uint64    `json:"seq"` // /events?after= goes on here
	Time     time.Time `json:"time"`
	Draining bool      `json:"draining,omitempty"`
	Places   []row     `json:"places"`
}

// view is the tree as it is now, from the place at path on.
func (s *site) view(path string) forest {
	snap := s.sup.Snapshot()
	loads := s.Collector.usage.loads()
	f := forest{Seq: snap.Seq, Time: snap.Time, Draining: snap.Draining, Places: []row{}}
	f.add(&snap.Root, path, 0, loads)
	return f
}

// add adds s and all below it, as far as it is at path or below that. limit is
// how many restarts the window of s alone allows, if it has one.
func (f *forest) add(s *supervisor.Status, path string, limit int, loads map[string]load) {
	if s.Path == path || strings.HasPrefix(s.Path, path+"/") {
		r := rowOf(s)
		if l, ok := loads[s.Path]; ok {
			r.CPU, r.Memory = l.share, l.memory
		}
		if limit != 0 && !s.Supervisor {
			r.Limit = limit
		}
		f.Places = append(f.Places, r)
	}
	if !s.Intensity.Each {
		limit = 0
	} else {
		limit = s.Intensity.Restarts
	}
	for i := range s.Children {
		f.add(&s.Children[i], path, limit, loads)
	}
}

// beat is the shortest time between two looks at the tree for viewers.
const beat = 100 * time.Millisecond

// cache is the whole tree as JSON. All who ask within a beat share it.
type cache struct {
	mu   sync.Mutex // protects what follows; held while the tree is encoded
	at   time.Time
	text []byte
}

func (c *cache) get(view func() forest) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); c.text == nil || now.Sub(c.at) >= beat {
		c.text, _ = json.Marshal(view()) // it has no value that cannot be encoded
		c.at = now
	}
	return c.text
}

// serveTree answers with the tree, or with the part at ?path=.
func (s *site) serveTree(w http.ResponseWriter, r *http.Request) {
	path, root := r.URL.Query().Get("path"), s.sup.Ref().Path()
	w.Header().Set("Content-Type", "application/json")
	if path == "" || path == root {
		_, _ = w.Write(s.trees.get(func() forest { return s.view(root) }))
		return
	}
	f := s.view(path)
	if len(f.Places) == 0 {
		http.Error(w, "there is nothing at that path", http.StatusNotFound)
		return
	}
	_ = json.NewEncoder(w).Encode(f)
}

// portrait is one place with all that is known of it, as JSON.
type portrait struct {
	row
	Spec   json.RawMessage `json:"spec"`
	Deaths []death         `json:"deaths"` // the newest first
	Output []string        `json:"output"` // the last lines of its process
	May    []Action        `json:"may"`    // what this viewer may do with it
}

// serveChild answers with one place.
func (s *site) serveChild(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Query().Get("path")
	ref := s.sup.Find(path)
	status, err := ref.Status()
	if err != nil {
		http.Error(w, "there is nothing at that path", http.StatusNotFound)
		return
	}
	p := portrait{row: rowOf(&status), Deaths: []death{}, Output: []string{}, May: []Action{}}
	for i := len(status.Deaths) - 1; i >= 0; i-- {
		d := deathOf(&status.Deaths[i])
		d.details(status.Deaths[i].Exit)
		p.Deaths = append(p.Deaths, d)
	}
	p.Spec, p.Output = s.spec(ref), s.output(ref, &status)
	for _, a := range actions {
		if s.may(r, Access{a, path}) {
			p.May = append(p.May, a)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(p)
}

// spec is the data of the child's spec: names and plain values.
func (s *site) spec(ref supervisor.Ref) json.RawMessage {
	spec, err := ref.Spec()
	if err != nil {
		return nil
	}
	text, err := spec.Data().MarshalJSON()
	if err != nil {
		return nil
	}
	return text
}

// output is the last lines that a process has printed, without its secrets.
func (s *site) output(ref supervisor.Ref, status *supervisor.Status) []string {
	out := []string{}
	if status.Facts.PID == 0 {
		return out
	}
	ctx, cancel := context.WithTimeout(context.Background(), beat)
	defer cancel()
	h, err := supervisor.Get[*process.Handle](ctx, ref)
	if err != nil {
		return out
	}
	for _, line := range h.Last() {
		out = append(out, line.Stream+": "+clean(s.sup.Redact(line.Text)))
	}
	return out
}
