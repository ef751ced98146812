package metrics_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/metrics"
	"github.com/coppice-go/coppice/supervisor"
)

// promtool runs Prometheus' own checker in a directory.
func promtool(t *testing.T, dir string, args ...string) {
	t.Helper()
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed (Debian: prometheus)")
	}
	cmd := exec.CommandContext(t.Context(), tool, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %v\n%s", cmd, err, out)
	}
}

func TestTheAlertRulesAreRules(t *testing.T) {
	t.Parallel()
	promtool(t, ".", "check", "rules", "alerts.yml")
}

func TestTheAlertsFireWhenTheyShouldAndOnlyThen(t *testing.T) {
	t.Parallel()
	promtool(t, "testdata", "test", "rules", "alerts_test.yml")
}

// names are the names of all metrics.
func names(t *testing.T) map[string]bool {
	t.Helper()
	sup, err := supervisor.New(supervisor.Spec{Name: "root"})
	if err != nil {
		t.Fatal(err)
	}
	descs := make(chan *prometheus.Desc, 100)
	metrics.NewCollector(sup, metrics.Options{}).Describe(descs)
	close(descs)
	all := map[string]bool{}
	for d := range descs {
		_, rest, _ := strings.Cut(d.String(), `fqName: "`)
		name, _, _ := strings.Cut(rest, `"`)
		all[name] = true
	}
	return all
}

func TestAlertsAndDashboardUseMetricsThatExist(t *testing.T) {
	t.Parallel()
	known := names(t)
	for _, file := range []string{"alerts.yml", "dashboard.json", "testdata/alerts_test.yml", "README.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		used := regexp.MustCompile(`coppice_[a-z_]+`).FindAllString(string(text), -1)
		if len(used) == 0 {
			t.Errorf("%s uses no metric", file)
		}
		for _, name := range used {
			if !known[name] {
				t.Errorf("%s uses %s, which is none", file, name)
			}
		}
	}
}

func TestAlertsUseCausesThatExist(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile(`cause!?=~?"([a-z|_]+)"`).FindAllStringSubmatch(string(text), -1) {
		for _, word := range strings.Split(match[1], "|") {
			if err := new(child.Cause).UnmarshalText([]byte(word)); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestTheDashboardCanBeLoaded(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Title  string
		Panels []struct {
			ID          int
			Title       string
			Description string
			Targets     []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	ids := map[int]bool{}
	for _, p := range board.Panels {
		if p.Title == "" || p.Description == "" || len(p.Targets) == 0 || ids[p.ID] {
			t.Errorf("panel %d %q lacks something", p.ID, p.Title)
		}
		ids[p.ID] = true
	}
	if len(ids) == 0 || board.Title == "" {
		t.Error("it is empty")
	}
}

// The lines of the README that begin with curl do what they say.
func TestTheCurlLinesOfTheREADME(t *testing.T) {
	t.Parallel()
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("curl is not installed")
	}
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	sup := start(t, shop())
	t.Cleanup(func() { stop(t, sup) })
	server := serve(t, sup, metrics.Site{Authorise: allow})
	ran := 0
	for _, line := range strings.Split(string(text), "\n") {
		command, want, _ := strings.Cut(line, "  # ")
		args, is := strings.CutPrefix(command, "curl ")
		if !is {
			continue
		}
		ran++
		args = strings.ReplaceAll(args, "http://localhost:9090", server.URL)
		out, err := exec.CommandContext(t.Context(), "sh", "-c", curl+" "+args).Output()
		if err != nil && !strings.Contains(args, "--max-time") || !strings.Contains(string(out), strings.TrimSpace(want)) {
			t.Errorf("%s: %v\n%.500s\nwant %s", command, err, out, want)
		}
	}
	if ran < 8 {
		t.Errorf("only %d lines were run", ran)
	}
}
