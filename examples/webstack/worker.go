package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/coppice-go/coppice/child"
)

// service is the worker: a web server that counts its visits. Each run has a
// connection of its own to redis.
type service struct {
	listen string // the address
	store  string // that of redis; without one it counts in memory
}

// bomb makes the run that has published it panic when it is closed.
type bomb chan struct{}

func (s service) String() string { return "visits" }

// Serve serves until ctx ends. Its start is complete when its readiness probe
// says so, which asks redis too.
func (s service) Serve(ctx context.Context) error {
	var visits counter = &memory{era: fmt.Sprint("run-", child.Incarnation(ctx))}
	if s.store != "" {
		r := &redisCounter{address: s.store}
		defer r.close()
		visits = r
	}
	l, err := net.Listen("tcp", s.listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: pages(visits)}
	defer server.Close() // after a panic too
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	b := make(bomb)
	child.Publish(ctx, b)
	select {
	case <-ctx.Done():
		return nil
	case err := <-ended:
		return err
	case <-b:
		panic("the worker has a bug")
	}
}

// counter counts visits.
type counter interface {
	// next counts one. The era is that of the count: it begins anew in another.
	next() (era string, n int64, err error)
	// ping reports whether it could count.
	ping() error
}

func pages(visits counter) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if err := visits.ping(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		era, n, err := visits.next()
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintf(w, "%s %d\n", era, n)
	})
	return mux
}

// memory is the counter that a worker has without redis.
type memory struct {
	era string
	n   atomic.Int64
}

func (m *memory) next() (string, int64, error) { return m.era, m.n.Add(1), nil }
func (m *memory) ping() error                  { return nil }
