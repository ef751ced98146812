package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/coppice-go/coppice/supervisor"
)

// A report is one process, as status shows it.
type report struct {
	Name     string    `json:"name"`
	State    string    `json:"state"`
	PID      int       `json:"pid,omitempty"`
	Port     int       `json:"port"`
	Since    time.Time `json:"since"`
	Restarts uint64    `json:"restarts"`
	// Last is how the run before this one ended, if it did so by itself.
	Last string `json:"last,omitempty"`
}

// A server answers those who ask about a crew.
type server struct {
	crew *crew
	quit func()
}

// serve answers at the listener until the function that it returns is called;
// that waits until those who follow the logs have been told the last lines.
func serve(listener net.Listener, c *crew, quit func()) (end func()) {
	s := &server{c, quit}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", s.status)
	mux.HandleFunc("GET /logs", s.logs)
	mux.HandleFunc("POST /restart", s.named(c.restart))
	mux.HandleFunc("POST /stop", s.named(c.stop))
	mux.HandleFunc("POST /scale", s.scale)
	mux.HandleFunc("POST /quit", func(http.ResponseWriter, *http.Request) { quit() })
	ctx, cancel := context.WithCancel(context.Background())
	web := &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = web.Serve(listener) }()
	return func() {
		cancel()
		patience, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if web.Shutdown(patience) != nil {
			_ = web.Close()
		}
		<-done
	}
}

func (s *server) status(w http.ResponseWriter, r *http.Request) {
	found, err := s.crew.matching(r.FormValue("name"))
	if err != nil {
		refuse(w, err)
		return
	}
	reports := make([]report, len(found))
	for i, status := range found {
		reports[i] = s.crew.report(status)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(reports)
}

func (c *crew) report(status supervisor.Status) report {
	name, index := split(status.Name)
	r := report{Name: status.Name, State: status.State.String(), Since: status.Since, Restarts: status.Restarts}
	for kind, config := range c.configs {
		if config.Name == name {
			r.Port = portOf(c.base, kind, index)
		}
	}
	if status.State == supervisor.Running || status.State == supervisor.Stopping {
		r.PID = status.Facts.PID
	}
	if last := status.Last(); !last.At.IsZero() {
		r.Last = last.Exit.String()
	}
	return r
}

// named answers a call that takes names.
func (s *server) named(call func(ctx context.Context, name string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for _, name := range r.Form["name"] {
			if err := call(r.Context(), name); err != nil {
				refuse(w, err)
				return
			}
		}
	}
}

func (s *server) scale(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	wanted, err := parseScale(r.Form["scale"])
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := s.crew.rescale(r.Context(), wanted); err != nil {
		refuse(w, err)
	}
}

// logs sends lines as JSON, each in a line of its own.
func (s *server) logs(w http.ResponseWriter, r *http.Request) {
	name := r.FormValue("name")
	if _, err := s.crew.matching(name); err != nil && name != system {
		refuse(w, err)
		return
	}
	last, err := strconv.Atoi(r.FormValue("last"))
	if err != nil {
		last = kept
	}
	wanted := func(from string) bool {
		kind, _ := split(from)
		return name == "" || name == from || name == kind
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	control, encoder := http.NewResponseController(w), json.NewEncoder(w)
	_ = control.Flush()
	for l := range s.crew.journal.lines(r.Context(), wanted, last, r.FormValue("follow") != "") {
		if encoder.Encode(l) != nil || control.Flush() != nil {
			return
		}
	}
}

func refuse(w http.ResponseWriter, err error) {
	code := http.StatusInternalServerError
	var name *unknownError
	switch {
	case errors.As(err, &name):
		code = http.StatusNotFound
	case errors.Is(err, supervisor.ErrStopped):
		code = http.StatusServiceUnavailable
	}
	http.Error(w, err.Error(), code)
}
