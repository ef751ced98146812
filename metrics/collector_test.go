package metrics_test

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/metrics"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	quiet   = supervisor.Options{Logger: slog.New(slog.DiscardHandler)}
	noDelay = strategies.Backoff{Min: strategies.None}
	errLife = errors.New("life")
)

func idle(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// fails fails at its first n runs.
func fails(n uint64) child.Func {
	return func(ctx context.Context) error {
		if child.Incarnation(ctx) <= n {
			return errLife
		}
		return idle(ctx)
	}
}

func start(t testing.TB, spec supervisor.Spec) *supervisor.Supervisor {
	t.Helper()
	sup, err := quiet.Start(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return sup
}

func stop(t testing.TB, sup *supervisor.Supervisor) {
	t.Helper()
	if err := sup.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

// text is what a scrape of c shows.
func text(t testing.TB, c prometheus.Collector) string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(c); err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
	if answer.Code != http.StatusOK {
		t.Fatal(answer.Body)
	}
	return answer.Body.String()
}

// golden compares got with a file in testdata.
func golden(t testing.TB, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("not as in %s:\n%s", file, got)
	}
}

// shop is a tree in which something of everything has happened.
func shop() supervisor.Spec {
	return supervisor.Spec{Name: "shop", Intensity: strategies.Intensity{Restarts: 5, Period: time.Hour}, Children: []child.Specer{
		child.Spec{Name: "web", Run: child.Func(idle)},
		child.Spec{Name: "flaky", Run: fails(2), Backoff: noDelay},
		child.Spec{Name: "down", Run: child.Func(func(context.Context) error { return errLife })},
		supervisor.Spec{Name: "ingest", Strategy: strategies.OneForAll, Backoff: noDelay, Children: []child.Specer{
			child.Spec{Name: "reader", Run: child.Func(idle)},
			child.Spec{Name: "writer", Run: fails(1)},
		}},
		supervisor.Spec{Name: "pool", Template: func(any) child.Spec {
			return child.Spec{Run: child.Func(idle), Restart: child.Temporary}
		}},
	}}
}

func TestWhatAScrapeShows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		sup := start(t, shop())
		pool := sup.Find("shop/pool")
		for range 3 {
			if _, err := pool.StartChild(ctx, nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := pool.TerminateChild(ctx, "2"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		golden(t, "metrics.txt", text(t, metrics.NewCollector(sup, metrics.Options{})))
		stop(t, sup)
	})
}

func TestTheMetricsAreNamedAsTheyShouldBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup := start(t, shop())
		problems, err := testutil.CollectAndLint(metrics.NewCollector(sup, metrics.Options{}))
		if err != nil || len(problems) > 0 {
			t.Errorf("%v, %v", problems, err)
		}
		stop(t, sup)
	})
}

func TestASeriesForEachPathUpToTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		sup := start(t, supervisor.Spec{Name: "root", Children: []child.Specer{child.Spec{Name: "first", Run: child.Func(idle)}}})
		c := metrics.NewCollector(sup, metrics.Options{Paths: 3})
		for i := range 100 {
			name := "made-" + strings.Repeat("x", i%50) + string(rune('a'+i%26))
			if _, err := sup.Ref().StartChild(ctx, child.Spec{Name: name, Run: child.Func(idle)}); err != nil {
				t.Fatal(err)
			}
			if i%10 != 0 {
				continue
			}
			got := text(t, c)
			if n := strings.Count(got, "coppice_child_up{"); n > 4 {
				t.Fatalf("%d series for %d children:\n%s", n, i+2, got)
			}
		}
		if got := text(t, c); !strings.Contains(got, `coppice_child_up{path="*",tree="root"} 99`) {
			t.Errorf("the rest is not counted together:\n%s", got)
		}
		stop(t, sup)
	})
}

func TestNoCounterEverGoesDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		sup := start(t, supervisor.Spec{Name: "root", Backoff: noDelay, Children: []child.Specer{
			supervisor.Spec{Name: "pool", Backoff: strategies.Backoff{Min: time.Minute}, Template: func(any) child.Spec {
				return supervisor.Spec{Name: "", Intensity: strategies.Intensity{Restarts: 1, Period: time.Hour}, Backoff: noDelay,
					Children: []child.Specer{child.Spec{Name: "worker", Run: fails(7)}}}.ChildSpec()
			}},
		}})
		c := metrics.NewCollector(sup, metrics.Options{})
		last := -1
		check := func(want int) {
			t.Helper()
			synctest.Wait()
			got := series(text(t, c), `coppice_child_starts_total{path="root/pool/*/worker",tree="root"} `)
			if got < last || want > 0 && got != want {
				t.Errorf("%d after %d, want %d", got, last, want)
			}
			last = got
		}
		pool := sup.Find("root/pool")
		if _, err := pool.StartChild(ctx, nil); err != nil {
			t.Fatal(err)
		}
		check(2) // it gave up, and waits
		time.Sleep(time.Hour)
		check(8)
		if _, err := pool.StartChild(ctx, nil); err != nil {
			t.Fatal(err)
		}
		check(10)
		if err := pool.TerminateChild(ctx, "1"); err != nil {
			t.Fatal(err)
		}
		check(10)
		if err := sup.Find("root/pool").Bounce(ctx); err != nil {
			t.Fatal(err)
		}
		check(10)
		stop(t, sup)
	})
}

// series is the value of the series that begins so.
func series(text, prefix string) int {
	_, rest, found := strings.Cut(text, prefix)
	n := 0
	for _, c := range rest {
		if c < '0' || c > '9' {
			break
		}
		n = 10*n + int(c-'0')
	}
	if !found {
		return -1
	}
	return n
}

func TestTreesShareARegistryAndCollectorsOfOneTreeDoNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := start(t, supervisor.Spec{Name: "a"}), start(t, supervisor.Spec{Name: "b"})
		registry := prometheus.NewPedanticRegistry()
		for _, sup := range []*supervisor.Supervisor{a, b} {
			if err := registry.Register(metrics.NewCollector(sup, metrics.Options{})); err != nil {
				t.Error(err)
			}
		}
		if _, err := registry.Gather(); err != nil {
			t.Error(err)
		}
		if err := registry.Register(metrics.NewCollector(a, metrics.Options{})); err == nil {
			t.Error("a second collector of a tree was registered")
		}
		stop(t, a)
		stop(t, b)
	})
}

func TestAScrapeBeforeDuringAndAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup, err := quiet.New(supervisor.Spec{Name: "root", Children: []child.Specer{
			child.Spec{Name: "slow", Run: child.Func(func(ctx context.Context) error {
				<-ctx.Done()
				time.Sleep(time.Second)
				return nil
			})},
		}})
		if err != nil {
			t.Fatal(err)
		}
		c := metrics.NewCollector(sup, metrics.Options{})
		if got := text(t, c); !strings.Contains(got, `coppice_child_up{path="root",tree="root"} 0`) {
			t.Errorf("before:\n%s", got)
		}
		ctx, cancel := context.WithCancel(context.Background())
		go func() { _ = sup.Serve(ctx) }()
		synctest.Wait()
		cancel()
		synctest.Wait()
		if got := text(t, c); !strings.Contains(got, `coppice_child_state{path="root/slow",state="stopping",tree="root"} 1`) {
			t.Errorf("during the stop:\n%s", got)
		}
		_ = sup.Wait()
		if got := text(t, c); !strings.Contains(got, `coppice_child_exits_total{cause="stop",path="root/slow",tree="root"} 1`) {
			t.Errorf("after:\n%s", got)
		}
	})
}
