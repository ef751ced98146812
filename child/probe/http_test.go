package probe_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child/probe"
)

// site is a server with a few pages. It counts the connections that are open.
type site struct {
	*httptest.Server
	mu   sync.Mutex // protects open
	open map[net.Conn]http.ConnState
}

func serve(t *testing.T, begin func(*httptest.Server)) *site {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/good", func(w http.ResponseWriter, r *http.Request) {
		w.Header()["X-State"] = []string{"up", "leader"}
		_, _ = fmt.Fprintf(w, "%s %s %s: all is good", r.Method, r.Host, r.UserAgent())
	})
	mux.HandleFunc("/in/two/pieces", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "all is go")
		_ = http.NewResponseController(w).Flush()
		_, _ = io.WriteString(w, "od")
	})
	mux.HandleFunc("/good/but/endless", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "good")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/status/{code}", func(w http.ResponseWriter, r *http.Request) {
		var code int
		_, _ = fmt.Sscan(r.PathValue("code"), &code)
		w.WriteHeader(code)
	})
	mux.HandleFunc("/to", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", r.URL.RawQuery)
		w.WriteHeader(http.StatusFound)
	})
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusFound))
	mux.HandleFunc("/auth", func(w http.ResponseWriter, r *http.Request) {
		if name, word, _ := r.BasicAuth(); name != "me" || word != "hunter2" || r.URL.RawQuery != "deep" || r.Header.Get("X-A") != "b" {
			w.WriteHeader(http.StatusForbidden)
		}
	})
	s := &site{Server: httptest.NewUnstartedServer(mux), open: map[net.Conn]http.ConnState{}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // a handshake that fails is meant to
	s.Config.ConnState = func(c net.Conn, state http.ConnState) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.open[c] = state; state == http.StateClosed {
			delete(s.open, c)
		}
	}
	begin(s.Server)
	t.Cleanup(s.Close)
	return s
}

// left says which connections are open.
func (s *site) left() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) == 0 {
		return ""
	}
	return fmt.Sprint(s.open)
}

func TestAnAnswerNeedsTheStatusTheHeadersAndTheBodyThatAreWanted(t *testing.T) {
	t.Parallel()
	s := serve(t, (*httptest.Server).Start)
	host := strings.TrimPrefix(s.URL, "http://")
	for name, tt := range map[string]struct {
		path  string
		probe probe.HTTP
		want  string // of the error, or none
	}{
		"200":                               {"/status/200", probe.HTTP{}, ""},
		"204":                               {"/status/204", probe.HTTP{}, ""},
		"399":                               {"/status/399", probe.HTTP{}, ""},
		"400":                               {"/status/400", probe.HTTP{}, "GET " + s.URL + "/status/400: status 400, want 200-399"},
		"503":                               {"/status/503", probe.HTTP{}, "status 503, want 200-399"},
		"503 as wanted":                     {"/status/503", probe.HTTP{Status: []probe.Range{{Min: 200, Max: 299}, {Min: 503}}}, ""},
		"404 among two":                     {"/status/404", probe.HTTP{Status: []probe.Range{{Min: 200, Max: 299}, {Min: 503}}}, "status 404, want 200-299 or 503"},
		"a page that is not there":          {"/nowhere", probe.HTTP{}, "status 404"},
		"another method":                    {"/good", probe.HTTP{Method: "HEAD", Want: http.Header{"X-State": {"up"}}}, ""},
		"both values of a header":           {"/good", probe.HTTP{Want: http.Header{"x-state": {"leader", "up"}}}, ""},
		"a header with any value":           {"/good", probe.HTTP{Want: http.Header{"X-State": nil}}, ""},
		"a header with another value":       {"/good", probe.HTTP{Want: http.Header{"X-State": {"down"}}}, `header "X-State" has another value`},
		"a header that is not there":        {"/good", probe.HTTP{Want: http.Header{"X-Role": nil}}, `no header "X-Role"`},
		"a body":                            {"/good", probe.HTTP{Contains: "good"}, ""},
		"a body that comes in pieces":       {"/in/two/pieces", probe.HTTP{Contains: "good"}, ""},
		"a body that goes on":               {"/good/but/endless", probe.HTTP{Contains: "good"}, ""},
		"another body":                      {"/in/two/pieces", probe.HTTP{Contains: "well"}, `no "well" in "all is good"`},
		"no body":                           {"/status/200", probe.HTTP{Contains: "good"}, `no "good" in ""`},
		"our method, host and name":         {"/good", probe.HTTP{Contains: "GET " + host + " coppice-probe: "}, ""},
		"another host and name":             {"/good", probe.HTTP{Method: "POST", Header: http.Header{"host": {"x.example"}, "user-agent": {"me"}}, Contains: "POST x.example me: "}, ""},
		"userinfo, query and header reach":  {"/auth?deep", probe.HTTP{Header: http.Header{"x-a": {"b"}}}, ""},
		"userinfo that is given another's":  {"/auth?deep", probe.HTTP{Header: http.Header{"Authorization": {"Basic eA=="}}}, "status 403"},
		"a header that the server must not": {"/good", probe.HTTP{Header: http.Header{"X A": {"b"}}}, "invalid header field name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := tt.probe
			p.URL = s.URL + tt.path
			if strings.HasPrefix(tt.path, "/auth") {
				p.URL = strings.Replace(p.URL, "://", "://me:hunter2@", 1)
			}
			if err := ask(t, ample, p.Ping); tt.want != "" {
				wantError(t, err, tt.want)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAPingLeavesNothingBehind(t *testing.T) {
	t.Parallel() // the goroutines are looked at by ask, the processes by the tests of Exec
	secure := func(s *httptest.Server) { s.EnableHTTP2 = true; s.StartTLS() }
	for name, begin := range map[string]func(*httptest.Server){"HTTP": (*httptest.Server).Start, "TLS": (*httptest.Server).StartTLS, "HTTP/2": secure} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, begin)
			client := s.Client()
			if _, err := client.Get(s.URL + "/status/204"); err != nil { // what the client itself keeps stays its own
				t.Fatal(err)
			}
			client.CloseIdleConnections()
			for path, want := range map[string]string{
				"/good": "", "/good/but/endless": "", "/to?/good": "", "/to?http://elsewhere.example/": "another host", "/status/503": "status 503",
				"/in/two/pieces": `no "all is good?"`,
			} {
				p := probe.HTTP{URL: s.URL + path, Client: client, Redirects: 2, Contains: "all is good"}
				switch path {
				case "/in/two/pieces":
					p.Contains = "all is good?"
				case "/good/but/endless":
					p.Contains = "good"
				}
				if err := ask(t, ample, p.Ping); want != "" {
					wantError(t, err, want)
				} else if err != nil {
					t.Error(err)
				}
				await(t, path, s.left)
			}
			if err := ask(t, short, (probe.HTTP{URL: s.URL + "/good/but/endless", Client: client, Contains: "bad"}).Ping); err == nil {
				t.Error("it did not run out of time")
			}
			await(t, "what ran out of time", s.left)
		})
	}
	t.Run("TCP", func(t *testing.T) {
		t.Parallel()
		var open atomic.Int64
		address := listen(t, func(c net.Conn) {
			open.Add(1)
			defer open.Add(-1)
			_, _ = c.Write([]byte("no"))
			mute(c) // until the other side closes
		})
		for _, p := range []probe.TCP{{Address: address}, {Address: address, Expect: "no"}, {Address: address, Expect: "yes"}} {
			_ = ask(t, short, p.Ping)
			await(t, p.Expect, func() string { return strings.Trim(fmt.Sprint(open.Load()), "0") })
		}
	})
}

// tripper is a transport that is none of net/http's.
type tripper struct{ http.RoundTripper }

func TestAClientIsAskedThrough(t *testing.T) {
	t.Parallel()
	s := serve(t, (*httptest.Server).StartTLS)
	p := probe.HTTP{URL: s.URL + "/good", Contains: "good"}
	wantError(t, ask(t, ample, p.Ping), "certificate")
	p.Client = s.Client()
	if err := ask(t, ample, p.Ping); err != nil {
		t.Errorf("with the certificate of the server: %v", err)
	}
	p.Client = &http.Client{Transport: tripper{&http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}}
	if err := ask(t, ample, p.Ping); err != nil {
		t.Errorf("through another transport: %v", err)
	}
	await(t, "another transport", s.left)
	p.URL, p.Contains = s.URL+"/good/but/endless", "bad"
	p.Client = s.Client()
	p.Client.Timeout = short
	wantError(t, ask(t, ample, p.Ping), "no answer in time")
}

func TestNoRedirectIsFollowedUnlessThatIsAskedForAndNoneLeavesTheHost(t *testing.T) {
	t.Parallel()
	var left atomic.Bool
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { left.Store(true) }))
	t.Cleanup(elsewhere.Close)
	s, secure := serve(t, (*httptest.Server).Start), serve(t, (*httptest.Server).StartTLS)
	for name, tt := range map[string]struct {
		url       string
		redirects int
		want      string // of the error, or none
	}{
		"a redirect is the answer":   {s.URL + "/to?" + elsewhere.URL, 0, ""},
		"one":                        {s.URL + "/to?/good", 1, ""},
		"one by the whole URL":       {s.URL + "/to?" + s.URL + "/good", 1, ""},
		"one to what fails":          {s.URL + "/to?/status/503", 1, "status 503"},
		"two":                        {s.URL + "/to?/to?/good", 2, ""},
		"two and not one":            {s.URL + "/to?/to?/good", 1, "more redirects than 1"},
		"a loop":                     {s.URL + "/loop", 3, "more redirects than 3"},
		"no location":                {s.URL + "/to?", 3, ""},
		"another host":               {s.URL + "/to?http://elsewhere.example/?token=hunter2", 3, "redirected to http://elsewhere.example, which is another host"},
		"another port":               {s.URL + "/to?" + elsewhere.URL, 3, "which is another host"},
		"from http to https":         {s.URL + "/to?" + secure.URL + "/good", 1, ""},
		"from https to http":         {secure.URL + "/to?" + s.URL + "/good", 1, "which is another host"},
		"over https to another host": {s.URL + "/to?" + secure.URL + "/to?" + elsewhere.URL, 3, "which is another host"},
		"another scheme":             {s.URL + "/to?file:///etc/passwd", 3, "which is another host"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := probe.HTTP{URL: tt.url, Redirects: tt.redirects, Client: secure.Client()}
			err := ask(t, ample, p.Ping)
			if tt.want == "" && err != nil {
				t.Error(err)
			}
			if tt.want != "" {
				wantError(t, err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v tells a secret", err)
			}
		})
	}
	t.Cleanup(func() {
		if left.Load() {
			t.Error("a redirect to another host was followed")
		}
	})
}

func TestNoProxyIsUsedThatTheEnvironmentNames(t *testing.T) {
	var used atomic.Bool
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { used.Store(true) }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	t.Setenv("NO_PROXY", "")
	t.Setenv("no_proxy", "")
	const nowhere = "http://192.0.2.1/" // of a network that is only for documentation
	for name, client := range map[string]*http.Client{"no client": nil, "a client without a transport": {}} {
		if err := ask(t, 2*short, (probe.HTTP{URL: nowhere, Client: client}).Ping); err == nil || used.Load() {
			t.Errorf("%s: got %v by the proxy of the environment", name, err)
		}
	}
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	asked := probe.HTTP{URL: nowhere, Client: &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(at)}}}
	if err := ask(t, ample, asked.Ping); err != nil || !used.Load() {
		t.Errorf("got %v by the proxy of the client", err)
	}
}

func TestWhatIsReadIsBounded(t *testing.T) {
	t.Parallel()
	const head = "HTTP/1.1 200 OK\r\n\r\n"
	page := func(first, rest string) probe.HTTP {
		return probe.HTTP{URL: "http://" + listen(t, after(says(first, rest, 0))), Contains: "good"}
	}
	many := strings.Repeat("bad ", 1<<10)
	fits, late := page(head+"12345good", ""), page(head+"123456good", many)
	fits.MaxBody, late.MaxBody = 9, 9
	for name, tt := range map[string]struct {
		ping ping
		want string // of the error, or none
	}{
		"an endless body":                {page(head, many).Ping, "(65536 bytes)"},
		"an endless header":              {page("HTTP/1.1 200 OK\r\nA: ", many).Ping, "header"},
		"endless headers":                {page("HTTP/1.1 200 OK\r\n", strings.Repeat("A: b\r\n", 100)).Ping, "header"},
		"a body that just fits":          {fits.Ping, ""},
		"a body that is one too long":    {late.Ping, `no "good" in "123456goo"`},
		"an endless reply":               {probe.TCP{Address: listen(t, says("", many, 0)), Expect: "good"}.Ping, "(4096 bytes)"},
		"a program's megabyte":           {script(t, "i=0; while [ $i -lt 16 ]; do i=$((i+1)); printf %65536s x; done; echo end; exit 1").Ping, "exit code 1: end"},
		"a program's megabyte that goes": {script(t, "i=0; while [ $i -lt 1024 ]; do i=$((i+1)); printf '%1023s\\n' x; done").Ping, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			err := ask(t, ample, tt.ping)
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, err, tt.want)
			if took := time.Since(began); took >= ample || err != nil && len(err.Error()) > 1<<10 {
				t.Errorf("after %v there is %v", took, err)
			}
		})
	}
}

func TestTheWordsOfARange(t *testing.T) {
	t.Parallel()
	for r, want := range map[probe.Range]string{{Min: 200}: "200", {Min: 200, Max: 200}: "200", {Min: 200, Max: 299}: "200-299"} {
		if got := r.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
