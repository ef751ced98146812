package metrics_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/metrics"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// plain sends metrics that exist already.
type plain []prometheus.Metric

func (p plain) Describe(chan<- *prometheus.Desc) {}

func (p plain) Collect(to chan<- prometheus.Metric) {
	for _, m := range p {
		to <- m
	}
}

// plainOf is as many plain metrics as c sends, in as many families.
func plainOf(c *metrics.Collector) plain {
	var p plain
	to := make(chan prometheus.Metric)
	go func() {
		c.Collect(to)
		close(to)
	}()
	for range to {
		desc := prometheus.NewDesc("plain_"+strconv.Itoa(len(p)%20)+"_total", "One.", []string{"path"}, prometheus.Labels{"tree": "root"})
		p = append(p, prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(len(p)), fmt.Sprintf("root/child-%d", len(p))))
	}
	return p
}

// scrape gathers and encodes once.
func scrape(tb testing.TB, registry *prometheus.Registry) {
	answer := &discard{header: http.Header{}}
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
	if answer.code != 0 && answer.code != http.StatusOK {
		tb.Fatal(answer.code)
	}
}

// discard is an answer that nobody reads.
type discard struct {
	header http.Header
	code   int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(code int)        { d.code = code }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }

func wide(n int) supervisor.Spec {
	spec := supervisor.Spec{Name: "root"}
	for i := range n {
		spec.Children = append(spec.Children, child.Spec{Name: "child-" + strconv.Itoa(i), Run: child.Func(idle)})
	}
	return spec
}

// BenchmarkScrape tells the time of a scrape, and how many times as long it
// takes as one of the same number of plain metrics.
func BenchmarkScrape(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run("children="+strconv.Itoa(n), func(b *testing.B) {
			sup := start(b, wide(n))
			defer stop(b, sup)
			c := metrics.NewCollector(sup, metrics.Options{})
			ours, theirs := prometheus.NewRegistry(), prometheus.NewRegistry()
			ours.MustRegister(c)
			theirs.MustRegister(plainOf(c))
			var plain time.Duration
			for b.Loop() {
				scrape(b, ours)
				b.StopTimer()
				began := time.Now()
				scrape(b, theirs)
				plain += time.Since(began)
				b.StartTimer()
			}
			b.ReportMetric(float64(b.Elapsed())/float64(plain), "x-plain")
		})
	}
}

// BenchmarkRestartDuringScrapes tells how fast a child restarts that fails at
// once, among a thousand others, while nobody scrapes and while somebody does
// ten times a second.
func BenchmarkRestartDuringScrapes(b *testing.B) {
	for _, scraped := range []bool{false, true} {
		b.Run("scraped="+strconv.FormatBool(scraped), func(b *testing.B) {
			left, done := b.N, make(chan struct{})
			spec := wide(1000)
			spec.Backoff, spec.Intensity = noDelay, strategies.Intensity{Restarts: strategies.Unlimited}
			spec.Children = append(spec.Children, supervisor.Spec{Name: "sub", Backoff: noDelay, Intensity: spec.Intensity, Children: []child.Specer{
				child.Spec{Name: "failing", Run: child.Func(func(ctx context.Context) error {
					if left--; left > 0 {
						return errLife
					}
					if left == 0 {
						close(done)
					}
					return idle(ctx)
				})},
			}})
			registry := prometheus.NewRegistry()
			over := make(chan struct{})
			b.ResetTimer()
			sup := start(b, spec)
			registry.MustRegister(metrics.NewCollector(sup, metrics.Options{}))
			go func() {
				defer close(over)
				for scraped {
					select {
					case <-done:
						return
					case <-time.After(100 * time.Millisecond):
						scrape(b, registry)
					}
				}
			}()
			<-done
			b.StopTimer()
			<-over
			stop(b, sup)
		})
	}
}
