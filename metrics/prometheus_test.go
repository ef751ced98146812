package metrics_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/metrics"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// aPrometheus is a real Prometheus that scrapes the server at target, with the
// alert rules sped up: what is minutes there is seconds here. It is a child of
// a tree of ours. The result is the address of its API.
func aPrometheus(t *testing.T, target string) string {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("prometheus is not installed (Debian: prometheus)")
	}
	dir := t.TempDir()
	rules, err := os.ReadFile("alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	rules = regexp.MustCompile(`\b(\d+)m\b`).ReplaceAll(rules, []byte("${1}s"))
	config := "global: {scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms}\n" +
		"rule_files: [rules.yml]\n" +
		"scrape_configs:\n  - job_name: tree\n    metrics_path: /observe/metrics\n" +
		"    static_configs: [{targets: ['" + target + "']}]\n"
	for name, text := range map[string]string{"prometheus.yml": config, "rules.yml": string(rules)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	address := freeAddress(t)
	runs := start(t, supervisor.Spec{Name: "tools", Children: []child.Specer{
		child.Spec{Name: "prometheus", Run: process.Command{Path: program, Dir: dir, Args: []string{
			"--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address=" + address, "--log.level=error",
		}}},
	}})
	t.Cleanup(func() { stop(t, runs) })
	return "http://" + address
}

// freeAddress is one at which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// query is what Prometheus answers: the value of each series by its path and
// its other label.
func query(t *testing.T, api, expression string) map[string]float64 {
	t.Helper()
	resp, err := http.Get(api + "/api/v1/query?query=" + url.QueryEscape(expression))
	if err != nil {
		return nil // it has not started
	}
	defer resp.Body.Close()
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil
	}
	values := map[string]float64{}
	for _, r := range answer.Data.Result {
		text, _ := r.Value[1].(string)
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		values[strings.TrimSpace(r.Metric["path"]+" "+r.Metric["cause"]+r.Metric["alertname"])] = v
	}
	return values
}

func TestARealPrometheusHasTheNumbersOfTheTree(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	t.Parallel()
	sup := start(t, supervisor.Spec{
		Name: "shop", Intensity: strategies.Intensity{Restarts: strategies.Unlimited},
		Children: []child.Specer{
			child.Spec{Name: "web", Run: child.Func(idle)},
			child.Spec{Name: "once", Run: fails(1), Backoff: noDelay},
			child.Spec{Name: "loop", Backoff: strategies.Backoff{Min: 300 * time.Millisecond, Max: 300 * time.Millisecond},
				Run: child.Func(func(context.Context) error { panic("oh") })},
			child.Spec{Name: "stopped", Run: child.Func(idle)},
		},
	})
	t.Cleanup(func() { stop(t, sup) })
	server := serve(t, sup, metrics.Site{})
	api := aPrometheus(t, strings.TrimPrefix(server.URL, "http://"))
	if err := sup.Find("shop/stopped").Hold(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the loop pages", func() bool {
		_, fires := query(t, api, `ALERTS{alertstate="firing"}`)["shop/loop CoppiceCrashLoop"]
		return fires
	})
	if err := sup.Find("shop/loop").Hold(t.Context()); err != nil { // so that the numbers stand still
		t.Fatal(err)
	}
	wanted := map[string]float64{}
	snap := sup.Snapshot()
	for c := range snap.Root.All() {
		for cause, n := range c.Counts.Exits {
			if n > 0 {
				wanted[c.Path+" "+child.Cause(cause).String()] = float64(n)
			}
		}
	}
	if wanted["shop/loop panic"] < 5 || wanted["shop/once error"] != 1 {
		t.Errorf("the tree counted %v", wanted)
	}
	eventually(t, "its numbers are those of the tree", func() bool {
		got := query(t, api, "coppice_child_exits_total")
		for series, n := range wanted {
			if got[series] != n {
				return false
			}
		}
		return len(got) == len(wanted)
	})
	for alert := range query(t, api, `ALERTS{alertstate="firing",severity="page"}`) {
		if !strings.HasPrefix(alert, "shop/loop ") {
			t.Errorf("%s pages too", alert)
		}
	}
}
