package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/coppice-go/coppice/metrics"
	"github.com/coppice-go/coppice/supervisor"
)

// show serves the page, the metrics and the health of the tree until hide is
// called. It is not a child of the tree: who looks at a tree wants to see its
// end as well.
func show(sup *supervisor.Supervisor, address string, out *printer) (hide func(), err error) {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	quiet := slog.New(slog.DiscardHandler)
	srv := &http.Server{
		Handler:           metrics.Handler(sup, "", metrics.Site{Logger: quiet}),
		ReadHeaderTimeout: 5 * time.Second,
		ErrorLog:          slog.NewLogLogger(quiet.Handler(), slog.LevelError),
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = srv.Serve(ln) // ends by Shutdown
	}()
	out.line("the tree is shown at http://%s/", ln.Addr())
	return func() {
		grace, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if srv.Shutdown(grace) != nil {
			_ = srv.Close() // a reader that is slower than that
		}
		<-served
	}, nil
}
