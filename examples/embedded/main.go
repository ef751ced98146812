// Embedded is a web service of the usual kind, with its own mux, its own
// registry of metrics and its own way to end, that has a supervision tree
// inside: two goroutine workers and one process.
//
//	go run ./examples/embedded -http localhost:8080            # until ^C
//	go run ./examples/embedded -http localhost:8080 -for 10s   # ends by itself
//
//	curl localhost:8080/orders           # what the service is there for
//	curl localhost:8080/metrics          # its metrics and those of the tree
//	curl localhost:8080/observe/healthz  # the page of the tree is at /observe/
//
// After SIGTERM it has ten seconds in all: no new request is taken, those under
// way are answered, and then the tree stops, the last started first. It needs a
// POSIX system.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/coppice-go/coppice/supervisor"
)

// budget is how long the end may take: less than the patience of who runs the
// service, which is thirty seconds on Kubernetes.
const budget = 10 * time.Second

func main() {
	address := flag.String("http", "localhost:8080", "where to serve")
	length := flag.Duration("for", 0, "how long to run; 0 is until SIGTERM or ^C")
	flag.Parse()
	err := run(os.Stdout, *address, *length)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(supervisor.ExitStatus(err))
}

func run(to io.Writer, address string, length time.Duration) error {
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer restore()
	context.AfterFunc(ctx, restore) // a second signal ends the program at once
	if length > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, length)
		defer cancel()
	}

	// The tree does not get ctx: it has to work until the last request is answered.
	shop := newShop(prometheus.NewRegistry())
	sup, err := supervisor.Start(context.Background(), shop.tree())
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return errors.Join(err, sup.Stop(context.Background()))
	}
	streams, leave := context.WithCancel(context.Background())
	defer leave()
	srv := &http.Server{
		Handler:           shop.mux(sup),
		BaseContext:       func(net.Listener) context.Context { return streams },
		ReadHeaderTimeout: 5 * time.Second,
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	fmt.Fprintf(to, "serving at http://%s/\n", ln.Addr())

	var failed error
	select {
	case <-ctx.Done():
	case <-sup.Done(): // a worker could not be kept alive: without it there is no service
	case failed = <-served:
	}
	return errors.Join(failed, end(srv, leave, sup))
}

// end stops the service and then the tree, both within the budget.
func end(srv *http.Server, leave func(), sup *supervisor.Supervisor) error {
	grace, cancel := context.WithTimeout(context.Background(), budget)
	defer cancel()
	requests, enough := context.WithTimeout(grace, budget/2)
	defer enough()
	srv.RegisterOnShutdown(leave) // who looks at the events of the tree is no reason to wait
	if srv.Shutdown(requests) != nil {
		_ = srv.Close() // who is slower than that is cut off
	}
	return errors.Join(sup.Stop(grace), sup.Wait())
}
