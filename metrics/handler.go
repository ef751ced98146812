package metrics

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/coppice-go/coppice/supervisor"
)

// Site says how a tree is shown over HTTP, and to whom. The zero value is good:
// it shows the tree to this machine and lets nobody change it.
type Site struct {
	// Collector is the one of the tree, if you have made and registered it; it
	// also samples what processes use. Optional; nil is one with zero Options.
	Collector *Collector
	// Gatherer is what /metrics shows, a registry of yours as a rule. Optional;
	// nil is the Collector and nothing else.
	Gatherer prometheus.Gatherer
	// Authorise is asked about every request, reading included, and about each
	// place that is to be changed. It is called from many goroutines. Optional;
	// nil lets requests from this machine read, and nobody change.
	Authorise func(r *http.Request, a Access) bool
	// Essential are the paths of children that /readyz waits for beside those
	// with a Ready in their spec. A last element * is all children of a
	// supervisor. Optional.
	Essential []string
	// Logger gets a line for each change that was asked for. Optional; nil is
	// slog.Default().
	Logger *slog.Logger
}

// Access is what a request asks for. It is a plain value.
type Access struct {
	// Action is what is to be done; [Read] changes nothing.
	Action Action
	// Path is the place in the tree, the root's if it is about all of it.
	Path string
}

// site is a Site at work.
type site struct {
	Site
	sup   *supervisor.Supervisor
	cross *http.CrossOriginProtection
	pulse pulse
	trees cache
	feed  feed
}

// Handler serves all that there is to see of a tree, below prefix, which may be
// empty:
//
//	/          the page
//	/metrics   for Prometheus
//	/healthz   200 while the tree can be expected to go on
//	/readyz    200 when all that is essential is ready; ?verbose says what is not
//	/tree      the tree as JSON; ?path= a part of it
//	/child     one place as JSON, with its history; needs ?path=
//	/events    what happens, as server-sent events
//	/action    POST only: changes; see [Action]
//
// Nothing is registered globally. Mount it with
//
//	mux.Handle("/observe/", metrics.Handler(sup, "/observe", metrics.Site{}))
func Handler(sup *supervisor.Supervisor, prefix string, o Site) http.Handler {
	if o.Collector == nil {
		o.Collector = NewCollector(sup, Options{})
	}
	if o.Gatherer == nil {
		registry := prometheus.NewRegistry()
		registry.MustRegister(o.Collector)
		o.Gatherer = registry
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	s := &site{Site: o, sup: sup, cross: http.NewCrossOriginProtection()}
	s.feed.init(s)
	mux := http.NewServeMux()
	s.reads(mux, "GET /metrics", promhttp.HandlerFor(o.Gatherer, promhttp.HandlerOpts{
		EnableOpenMetrics: true, Timeout: scrapeTime,
	}).ServeHTTP)
	s.reads(mux, "GET /healthz", s.healthz)
	s.reads(mux, "GET /readyz", s.readyz)
	s.reads(mux, "GET /tree", s.serveTree)
	s.reads(mux, "GET /child", s.serveChild)
	s.reads(mux, "GET /events", s.serveEvents)
	s.reads(mux, "GET /{$}", s.servePage)
	s.reads(mux, "GET /static/{file}", s.serveStatic)
	mux.HandleFunc("POST /action", s.serveAction)
	return http.StripPrefix(prefix, s.guard(mux))
}

// scrapeTime is how long a scrape may take.
const scrapeTime = 30 * time.Second

// reads mounts what only reads.
func (s *site) reads(mux *http.ServeMux, pattern string, serve http.HandlerFunc) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Query().Get("path")
		if path == "" {
			path = s.sup.Ref().Path()
		}
		if !s.may(r, Access{Read, path}) {
			http.Error(w, "forbidden", http.StatusForbidden)
			return
		}
		serve(w, r)
	})
}
