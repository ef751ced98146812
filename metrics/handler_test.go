package metrics_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/metrics"
	"github.com/coppice-go/coppice/supervisor"
)

// serve shows sup on a real socket of this machine.
func serve(t *testing.T, sup *supervisor.Supervisor, o metrics.Site) *httptest.Server {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	mux := http.NewServeMux()
	mux.Handle("/observe/", metrics.Handler(sup, "/observe", o))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// answer is what a request gets, once its body is read.
type answer struct {
	code   int
	header http.Header
	body   string
}

func ask(t *testing.T, req *http.Request) answer {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

func get(t *testing.T, server *httptest.Server, path string) answer {
	t.Helper()
	return ask(t, request(t, server, http.MethodGet, path, nil))
}

func post(t *testing.T, server *httptest.Server, form url.Values) answer {
	t.Helper()
	return ask(t, request(t, server, http.MethodPost, "/observe/action", form))
}

func request(t *testing.T, server *httptest.Server, method, path string, form url.Values) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return req
}

func allow(*http.Request, metrics.Access) bool { return true }

// eventually waits until f is true.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never came that " + what)
		}
	}
}

func TestEverythingIsServedUnderThePrefixAndNothingIsKept(t *testing.T) {
	t.Parallel()
	sup := start(t, shop())
	t.Cleanup(func() { stop(t, sup) })
	server := serve(t, sup, metrics.Site{})
	for path, want := range map[string]string{
		"/observe/":                       `<script src="static/page.js"`,
		"/observe/static/page.js":         "EventSource",
		"/observe/static/page.css":        "prefers-color-scheme",
		"/observe/metrics":                "coppice_child_up",
		"/observe/healthz":                "ok",
		"/observe/readyz":                 "ok",
		"/observe/tree":                   `"path":"shop/ingest/writer"`,
		"/observe/tree?path=shop/ingest":  `"path":"shop/ingest/writer"`,
		"/observe/child?path=shop/flaky":  `"cause":"error"`,
		"/observe/child?path=shop/ingest": `"strategy":"one_for_all"`,
	} {
		got := get(t, server, path)
		if got.code != http.StatusOK || !strings.Contains(got.body, want) {
			t.Errorf("%s: %d\n%s", path, got.code, got.body)
		}
		if got.header.Get("Cache-Control") != "no-store" || got.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", path, got.header)
		}
		csp := got.header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'; script-src 'self'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: %q", path, csp)
		}
	}
	for path, want := range map[string]int{
		"/observe/child?path=shop/none": http.StatusNotFound, "/observe/tree?path=none": http.StatusNotFound,
		"/observe/static/..%2fpage.go": http.StatusBadRequest, "/observe/action": http.StatusMethodNotAllowed,
		"/observe/none": http.StatusNotFound, "/metrics": http.StatusNotFound,
	} {
		if got := get(t, server, path); got.code != want {
			t.Errorf("%s: %d, want %d", path, got.code, want)
		}
	}
	req := request(t, server, http.MethodGet, "/observe/metrics", nil)
	req.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	if got := ask(t, req); !strings.HasSuffix(got.body, "# EOF\n") {
		t.Error("no OpenMetrics")
	}
}

func TestWhoMayReadAndWhoMayChange(t *testing.T) {
	t.Parallel()
	sup := start(t, shop())
	t.Cleanup(func() { stop(t, sup) })
	bounce := "do=bounce&path=shop/web"
	only := func(action metrics.Action) metrics.Site {
		return metrics.Site{Authorise: func(_ *http.Request, a metrics.Access) bool { return a.Action == action }}
	}
	tests := map[string]struct {
		site   metrics.Site
		from   string
		method string
		set    map[string]string // headers, and Host
		want   int
	}{
		"this machine reads":                      {from: "127.0.0.1:1", want: 200},
		"this machine reads by IPv6":              {from: "[::1]:1", set: map[string]string{"Host": "[::1]:80"}, want: 200},
		"another machine does not read":           {from: "192.0.2.1:1", want: 403},
		"nor through a proxy on this one":         {from: "127.0.0.1:1", set: map[string]string{"X-Forwarded-For": "192.0.2.1"}, want: 403},
		"nor by a name that points here":          {from: "127.0.0.1:1", set: map[string]string{"Host": "evil.example"}, want: 421},
		"nor by a name that looks like it":        {from: "127.0.0.1:1", set: map[string]string{"Host": "localhost.evil.example:80"}, want: 421},
		"a name does not help with an authoriser": {site: only(metrics.Read), from: "127.0.0.1:1", set: map[string]string{"Host": "evil.example"}, want: 421},
		"an address that is none":                 {from: "@", want: 403},
		"nobody changes without an authoriser":    {from: "127.0.0.1:1", method: "POST", want: 403},
		"who may read may not change":             {site: only(metrics.Read), from: "192.0.2.1:1", method: "POST", want: 403},
		"who may read reads from anywhere":        {site: only(metrics.Read), from: "192.0.2.1:1", set: map[string]string{"Host": "shop.example"}, want: 200},
		"who may not read does not":               {site: only(metrics.Bounce), from: "127.0.0.1:1", want: 403},
		"who may change changes":                  {site: only(metrics.Bounce), from: "192.0.2.1:1", method: "POST", want: 200},
		"but not from another site's page":        {site: only(metrics.Bounce), from: "127.0.0.1:1", method: "POST", set: map[string]string{"Sec-Fetch-Site": "cross-site"}, want: 403},
		"nor from another origin":                 {site: only(metrics.Bounce), from: "127.0.0.1:1", method: "POST", set: map[string]string{"Origin": "https://evil.example"}, want: 403},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.site.Logger = slog.New(slog.DiscardHandler)
			method, path := http.MethodGet, "/tree"
			if tt.method != "" {
				method, path = tt.method, "/action"
			}
			req := httptest.NewRequest(method, path, strings.NewReader(bounce))
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.RemoteAddr, req.Host = tt.from, "localhost:9090"
			for key, value := range tt.set {
				if key == "Host" {
					req.Host = value
				} else {
					req.Header.Set(key, value)
				}
			}
			got := httptest.NewRecorder()
			metrics.Handler(sup, "", tt.site).ServeHTTP(got, req)
			if got.Code != tt.want {
				t.Errorf("got %d, want %d: %s", got.Code, tt.want, got.Body)
			}
		})
	}
}

func TestWhatAnOperatorCanDo(t *testing.T) {
	t.Parallel()
	sup := start(t, shop())
	t.Cleanup(func() { stop(t, sup) })
	server := serve(t, sup, metrics.Site{Authorise: allow})
	status := func(path string) supervisor.Status {
		s, err := sup.Find(path).Status()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	steps := []struct {
		do, path string
		code     int
		state    supervisor.State
		runs     uint64
	}{
		{"bounce", "shop/web", 200, supervisor.Running, 2},
		{"start", "shop/web", 409, supervisor.Running, 2},
		{"terminate", "shop/web", 200, supervisor.Down, 2},
		{"start", "shop/web", 200, supervisor.Running, 3},
		{"reload", "shop/web", 409, supervisor.Running, 3},
		{"bounce", "shop/none", 409, supervisor.Running, 3},
		{"read", "shop/web", 400, supervisor.Running, 3},
		{"restart_all", "shop", 200, supervisor.Running, 4},
		{"roll", "shop/web", 409, supervisor.Running, 4},
		{"bounce", "shop", 409, supervisor.Running, 4},
	}
	for _, step := range steps {
		got := post(t, server, url.Values{"do": {step.do}, "path": {step.path}, "n": {"2"}})
		if s := status("shop/web"); got.code != step.code || s.State != step.state || s.Incarnation != step.runs {
			t.Errorf("%s %s: %d %s; web is %v, run %d", step.do, step.path, got.code, got.body, s.State, s.Incarnation)
		}
	}
	before := status("shop/ingest/reader").Incarnation
	if got := post(t, server, url.Values{"do": {"roll"}, "path": {"shop/ingest"}}); got.code != 200 || status("shop/ingest/reader").Incarnation != before+1 {
		t.Errorf("roll: %d %s", got.code, got.body)
	}
}

func TestReadinessIsOfWhatIsEssential(t *testing.T) {
	t.Parallel()
	var open atomic.Bool
	gate := make(chan struct{})
	sup, err := supervisor.Options{Logger: quiet.Logger, Drain: time.Minute}.New(supervisor.Spec{Name: "root", Children: []child.Specer{
		child.Spec{Name: "gate", Ready: child.Readiness{Call: true}, Run: child.Func(func(ctx context.Context) error {
			select {
			case <-gate:
				open.Store(true)
				child.Ready(ctx)
			case <-ctx.Done():
			}
			return idle(ctx)
		})},
		child.Spec{Name: "sidecar", Run: child.Func(func(context.Context) error { return errors.New("<b>sick</b>\n") })},
		child.Spec{Name: "web", Run: child.Func(idle)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	server := serve(t, sup, metrics.Site{Essential: []string{"root/web"}})
	ready := func(code int, text string) {
		t.Helper()
		if got := get(t, server, "/observe/readyz?verbose"); got.code != code || !strings.Contains(got.body, text) {
			t.Errorf("readyz: %d %q, want %d %q", got.code, got.body, code, text)
		}
		if got := get(t, server, "/observe/healthz"); got.code != 200 {
			t.Errorf("healthz: %d %s", got.code, got.body)
		}
	}
	ready(503, "root: down")
	go func() { _ = sup.Serve(context.Background()) }()
	eventually(t, "it starts", func() bool { return sup.Snapshot().Root.State == supervisor.Starting })
	ready(503, "root/gate: starting")
	close(gate)
	eventually(t, "it runs", func() bool { return sup.Snapshot().Root.State == supervisor.Running })
	ready(200, "ok") // whatever the sidecar does
	if err := sup.Find("root/web").Hold(t.Context()); err != nil {
		t.Fatal(err)
	}
	ready(503, "root/web: down, stopped by an operator")
	if err := sup.Ref().RestartChild(t.Context(), "web"); err != nil {
		t.Fatal(err)
	}
	ready(200, "ok")
	go func() { _ = sup.Stop(context.Background()) }()
	eventually(t, "it drains", func() bool { return sup.Snapshot().Draining })
	ready(503, "told to stop")
	stop(t, sup)
	ready(503, "root: down")
}

func TestATreeThatFailedIsNotHealthy(t *testing.T) {
	t.Parallel()
	sup := start(t, supervisor.Spec{Name: "root", Backoff: noDelay, Children: []child.Specer{child.Spec{Name: "bad", Run: fails(99)}}})
	server := serve(t, sup, metrics.Site{})
	_ = sup.Wait()
	if got := get(t, server, "/observe/healthz"); got.code != http.StatusServiceUnavailable {
		t.Errorf("%d %s", got.code, got.body)
	}
}

// stream reads server-sent events.
type stream struct {
	lines *bufio.Scanner
	close func() error
}

func follow(t *testing.T, server *httptest.Server, query, last string) *stream {
	t.Helper()
	req := request(t, server, http.MethodGet, "/observe/events"+query, nil)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	s := &stream{bufio.NewScanner(resp.Body), resp.Body.Close}
	s.lines.Buffer(nil, 64<<20)
	return s
}

// until reads up to a line that contains text, and returns the id before it.
func (s *stream) until(t *testing.T, text string) (id string) {
	t.Helper()
	for s.lines.Scan() {
		if known, is := strings.CutPrefix(s.lines.Text(), "id: "); is {
			id = known
		}
		if strings.Contains(s.lines.Text(), text) {
			return id
		}
	}
	t.Errorf("the stream ends without %s: %v", text, s.lines.Err())
	return ""
}

func TestEventsAreStreamedAndResumed(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	sup := start(t, shop())
	server := serve(t, sup, metrics.Site{})
	first, page := follow(t, server, "", ""), follow(t, server, "?rows", "")
	bounce := func() {
		t.Helper()
		if err := sup.Find("shop/web").Bounce(ctx); err != nil {
			t.Fatal(err)
		}
	}
	bounce()
	id := first.until(t, `"kind":"started","path":"shop/web","incarnation":2`)
	_ = first.close()
	page.until(t, `"path":"shop/web","kind":"worker","state":"running"`)
	bounce()
	page.until(t, `"incarnation":3`)
	again := follow(t, server, "", id)
	again.until(t, `"kind":"stopping","path":"shop/web","incarnation":2`)
	again.until(t, `"kind":"started","path":"shop/web","incarnation":3`)
	stop(t, sup)
	again.until(t, `"kind":"exited","path":"shop/web"`)
	for again.lines.Scan() { // and it ends with the tree
	}
}

func TestWhatOthersWriteIsDataOnly(t *testing.T) {
	t.Parallel()
	evil := "<script>alert(1)</script>\"'\\\n\x1b[31m\xff\x00" + strings.Repeat("x", 1_000_000)
	sup := start(t, supervisor.Spec{Name: "root", Children: []child.Specer{
		child.Spec{Name: "says", Run: child.Func(func(context.Context) error { return errors.New(evil) })},
		child.Spec{Name: "panics", Run: child.Func(func(context.Context) error { panic(evil) })},
		child.Spec{Name: "tells", Run: child.Func(func(ctx context.Context) error {
			child.Publish(ctx, child.Facts{PID: 1, Status: evil})
			return idle(ctx)
		})},
	}})
	t.Cleanup(func() { stop(t, sup) })
	server := serve(t, sup, metrics.Site{})
	eventually(t, "all is told", func() bool {
		s := sup.Snapshot().Root.Children
		return len(s[0].Deaths) > 0 && len(s[1].Deaths) > 0 && s[2].Facts.PID > 0
	})
	for _, path := range []string{"tree", "child?path=root/says", "child?path=root/panics", "child?path=root/tells", "metrics", "readyz?verbose"} {
		got := get(t, server, "/observe/"+path).body
		if strings.Contains(got, "<script") || strings.ContainsAny(got, "\x1b\x00") || strings.Contains(got, "\\u001b") || len(got) > 100_000 {
			t.Errorf("%s: %d bytes\n%.2000s", path, len(got), got)
		}
		if strings.HasPrefix(path, "child") && !json.Valid([]byte(got)) {
			t.Errorf("%s is no JSON", path)
		}
	}
}

func TestManyViewersInAStorm(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var ran atomic.Int64
	spec := wide(300)
	spec.Intensity.Restarts, spec.Backoff = -1, noDelay
	spec.Children = append(spec.Children, child.Spec{Name: "storm", Run: child.Func(func(context.Context) error {
		if ctx.Err() != nil {
			time.Sleep(time.Millisecond)
		}
		ran.Add(1)
		return errLife
	})})
	sup := start(t, spec)
	t.Cleanup(func() { stop(t, sup) })
	server := serve(t, sup, metrics.Site{})
	var streams []*stream
	for range 200 {
		streams = append(streams, follow(t, server, "?rows", ""))
	}
	for _, s := range streams {
		s.until(t, `"kind":"missed"`)
	}
	if ran.Load() == 0 {
		t.Error("the tree stood still")
	}
	cancel() // and those who no longer read hold up nobody
	if err := sup.Find("root/child-1").Bounce(t.Context()); err != nil {
		t.Error(err)
	}
}
