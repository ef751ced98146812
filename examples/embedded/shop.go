package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/metrics"
	"github.com/coppice-go/coppice/supervisor"
)

// shop is the service: requests make orders, a worker takes them.
type shop struct {
	registry *prometheus.Registry
	orders   chan struct{}
	packed   prometheus.Counter
	stock    prometheus.Gauge
}

func newShop(registry *prometheus.Registry) *shop {
	s := &shop{
		registry: registry,
		orders:   make(chan struct{}, 100),
		packed:   prometheus.NewCounter(prometheus.CounterOpts{Name: "shop_packed_total", Help: "Orders that were packed."}),
		stock:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "shop_stocktaking_timestamp_seconds", Help: "When stock was last taken."}),
	}
	registry.MustRegister(s.packed, s.stock)
	return s
}

// tree is what works beside the requests.
func (s *shop) tree() supervisor.Spec {
	return supervisor.Spec{Name: "shop", Children: []child.Specer{
		child.Spec{Name: "sidecar", Run: process.Command{Path: "while :; do sleep 1; done", Shell: true}},
		child.Spec{Name: "stocktaker", Run: child.Func(s.takeStock)},
		child.Spec{Name: "packer", Run: child.Func(s.pack), Ready: child.Readiness{Call: true}},
	}}
}

// mux is the service's own; the tree is one route of it.
func (s *shop) mux(sup *supervisor.Supervisor) *http.ServeMux {
	collector := metrics.NewCollector(sup, metrics.Options{})
	s.registry.MustRegister(collector)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders", s.order)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{}))
	mux.Handle("/observe/", metrics.Handler(sup, "/observe", metrics.Site{Collector: collector, Gatherer: s.registry}))
	return mux
}

// order is the request that the service is there for.
func (s *shop) order(w http.ResponseWriter, _ *http.Request) {
	select {
	case s.orders <- struct{}{}:
		fmt.Fprintln(w, "ordered")
	default:
		http.Error(w, "too many orders", http.StatusServiceUnavailable)
	}
}

// pack is a worker that takes orders until it is told to stop, and those that
// were accepted before as well: no request comes any more by then.
func (s *shop) pack(ctx context.Context) error {
	child.Ready(ctx)
	for {
		select {
		case <-s.orders:
			s.packed.Inc()
		case <-ctx.Done():
			for range len(s.orders) {
				<-s.orders
				s.packed.Inc()
			}
			return nil
		}
	}
}

// takeStock is a worker that does something now and then.
func (s *shop) takeStock(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		s.stock.SetToCurrentTime()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}
