package probe_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/probe"
)

func TestNoPingOutlivesItsDeadline(t *testing.T) {
	t.Parallel()
	const head = "HTTP/1.1 200 OK\r\n"
	page := func(serve func(net.Conn)) probe.HTTP { return probe.HTTP{URL: "http://" + listen(t, serve)} }
	body := page(after(says(head+"\r\n", "bad ", time.Millisecond)))
	body.Contains = "good"
	body.MaxBody = 1 << 30
	silent := page(after(says(head+"\r\n", "", 0)))
	silent.Contains = "good"
	secure := probe.HTTP{URL: "https://" + listen(t, mute)}
	custom := secure
	custom.Client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	dialling := page(mute)
	dialling.Client = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}}
	for name, p := range map[string]ping{
		"a server that accepts and never answers":       page(mute).Ping,
		"a server that never reads":                     page(deaf).Ping,
		"slow headers":                                  page(after(says(head, "x", time.Millisecond))).Ping,
		"a header after the other":                      page(after(says(head, "A: b\r\n", time.Millisecond))).Ping,
		"a slow body that never ends":                   body.Ping,
		"a body that never comes":                       silent.Ping,
		"no handshake":                                  secure.Ping,
		"no handshake with a custom client":             custom.Ping,
		"a connection that does not come about":         dialling.Ping,
		"a TCP server that says nothing":                probe.TCP{Address: listen(t, mute), Expect: "+PONG"}.Ping,
		"a TCP server that never reads":                 probe.TCP{Address: listen(t, deaf), Send: strings.Repeat("x", 64<<20), Expect: "+PONG"}.Ping,
		"a TCP server that drips":                       probe.TCP{Address: listen(t, says("", "-", time.Millisecond)), Expect: "+PONG"}.Ping,
		"a program that hangs":                          script(t, "sleep 1000").Ping,
		"a program that ignores the request to end":     script(t, "trap '' TERM INT HUP; while :; do sleep 1000; done").Ping,
		"a program that prints for ever":                script(t, "while :; do echo and on; done").Ping,
		"a program whose descendant holds its output":   script(t, "sleep 1000 & wait").Ping,
		"a program that would be well once it is asked": script(t, "trap 'exit 0' TERM; sleep 1000").Ping,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			err := ask(t, short, p)
			if took := time.Since(began); took < short {
				t.Errorf("it took %v, less than the %v that it had", took, short)
			}
			wantError(t, err, "in time")
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v is not the end of the context", err)
			}
		})
		t.Run(name+", given up", func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(short, cancel)
			if err := askWith(ctx, t, p); !errors.Is(err, context.Canceled) {
				t.Errorf("%v is not the end of the context", err)
			}
		})
	}
}

func TestAnEndedContextAsksNobody(t *testing.T) {
	t.Parallel()
	var found sync.Map
	address := listen(t, func(net.Conn) { found.Store("connection", true) })
	for _, p := range []ping{
		probe.HTTP{URL: "http://" + address}.Ping, probe.TCP{Address: address}.Ping, probe.Exec{Path: "/no/such/program"}.Ping,
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := askWith(ctx, t, p); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
	if _, ok := found.Load("connection"); ok {
		t.Error("somebody was asked")
	}
}

// failures are pings that fail in many ways, of servers that mean ill.
func failures(t *testing.T) map[string]ping {
	const nasty = "\x1b[31mred\x1b[0m\r\n\x00\x07\u202e\xff\u2028"
	long := strings.Repeat(nasty, 1000)
	answer := func(text string) probe.HTTP {
		return probe.HTTP{URL: "http://" + listen(t, after(func(c net.Conn) { _, _ = c.Write([]byte(text)); _ = c.Close() })), Contains: "good", Redirects: 1}
	}
	reply := func(text string) probe.TCP {
		return probe.TCP{Address: listen(t, func(c net.Conn) { _, _ = c.Write([]byte(text)); _ = c.Close() }), Expect: "+PONG"}
	}
	return map[string]ping{
		"nobody listens":            probe.TCP{Address: closedPort(t)}.Ping,
		"no server of HTTP listens": probe.HTTP{URL: "http://" + closedPort(t)}.Ping,
		"no HTTP":                   answer(long).Ping,
		"no status":                 answer("HTTP/1.1 " + nasty + "\r\n\r\n").Ping,
		"no location":               answer("HTTP/1.1 302 Found\r\nLocation: ://" + strings.Repeat("%zz", 1000) + "\r\n\r\n").Ping,
		"another body":              answer("HTTP/1.1 200 OK\r\n\r\n" + long).Ping,
		"another reply":             reply(long).Ping,
		"the end":                   reply("").Ping,
		"a program that fails":      script(t, `printf '\033[31mred\n\r\007\376 line'; printf 'more\n' >&2; exit 3`).Ping,
		"no program":                probe.Exec{Path: "/no/such\n/program"}.Ping,
		"a long wish":               probe.TCP{Address: listen(t, mute), Expect: strings.Repeat("\n", probe.MaxReply)}.Ping,
	}
}

func TestAFailureIsOneShortLineWithoutControlCharacters(t *testing.T) {
	t.Parallel()
	for name, p := range failures(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := ask(t, short*20, p)
			if err == nil {
				t.Fatal("it did not fail")
			}
			text := err.Error()
			if i := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 || !utf8.ValidString(text) {
				t.Errorf("%q has something at %d that does not print", text, i)
			}
			if len(text) > 3<<10 {
				t.Errorf("it has %d bytes", len(text))
			}
			var e *probe.Error
			if !errors.As(err, &e) || e.Probe == "" || e.Reason == "" {
				t.Errorf("%#v is no error of a probe", err)
			}
		})
	}
}

func TestNoProbeShowsASecret(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	refused := closedPort(t)
	header := http.Header{"Authorization": {"Basic " + secret}, "X-Api": {secret}}
	want := http.Header{"X-State": {secret}}
	plain := listen(t, after(func(c net.Conn) {
		_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nX-State: " + secret + "x\r\n\r\npassword=" + secret))
		_ = c.Close()
	}))
	at := func(address string) string {
		return "http://me:" + secret + "@" + address + "/up?key=" + secret + "#" + secret
	}
	client := &http.Client{Transport: &http.Transport{ProxyConnectHeader: header}}
	for name, p := range map[string]interface {
		fmt.Stringer
		Ping(context.Context) error
	}{
		"a URL":                    probe.HTTP{URL: at(refused), Header: header, Want: want, Client: client},
		"a wrong status":           probe.HTTP{URL: at(plain), Header: header, Status: []probe.Range{{Min: 404}}},
		"a header":                 probe.HTTP{URL: at(plain), Want: want},
		"a body":                   probe.HTTP{URL: at(plain), Contains: "good"},
		"a URL that is none":       probe.HTTP{URL: "http://me:" + secret + "/" + secret + "@host:" + secret},
		"a header that is invalid": probe.HTTP{URL: at(plain), Header: http.Header{"X-A": {secret + "\n"}}},
		"what is sent":             probe.TCP{Address: listen(t, func(c net.Conn) { _, _ = c.Write([]byte("token=" + secret)); _ = c.Close() }), Send: "AUTH " + secret + "\n", Expect: "good"},
		"an argument":              script(t, "echo --password $1 >&2; echo token=$PASS; exit 1", secret),
		"an argument that is none": probe.Exec{Path: "x", Args: []string{secret + "\x00"}, Env: []string{secret}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if e, ok := p.(probe.Exec); ok && e.Env == nil {
				e.Env = []string{"PASS=" + secret}
				p = e
			}
			var log strings.Builder
			slog.New(slog.NewTextHandler(&log, nil)).Info("asks", "probe", p)
			written, err := json.Marshal(p)
			if err != nil {
				t.Error(err)
			}
			err = ask(t, ample, p.Ping)
			if err == nil {
				t.Error("it did not fail")
			}
			for _, shown := range []string{p.String(), fmt.Sprintf("%v %+v %#v", p, p, p), fmt.Sprint(err), string(written), log.String()} {
				if shown == "" || strings.Contains(shown, secret) {
					t.Errorf("it shows %q", shown)
				}
			}
		})
	}
}

func TestAMistakeIsToldAndNothingIsAsked(t *testing.T) {
	t.Parallel()
	url := "http://" + listen(t, func(c net.Conn) { t.Error("somebody was asked") })
	for name, tt := range map[string]struct {
		probe interface {
			Ping(context.Context) error
			Validate() error
		}
		want []string
	}{
		"no page":              {probe.HTTP{}, []string{"HTTP.URL"}},
		"another scheme":       {probe.HTTP{URL: "ftp://localhost"}, []string{"HTTP.URL"}},
		"no host":              {probe.HTTP{URL: "http:/up"}, []string{"HTTP.URL"}},
		"no URL":               {probe.HTTP{URL: "http://[::1"}, []string{"HTTP.URL"}},
		"no method":            {probe.HTTP{URL: url, Method: "GET /\n"}, []string{"HTTP.Method"}},
		"codes that are none":  {probe.HTTP{URL: url, Status: []probe.Range{{Min: 20}}}, []string{"HTTP.Status"}},
		"the higher one first": {probe.HTTP{URL: url, Status: []probe.Range{{Min: 299, Max: 200}}}, []string{"HTTP.Status"}},
		"codes too high":       {probe.HTTP{URL: url, Status: []probe.Range{{Min: 200, Max: 1000}}}, []string{"HTTP.Status"}},
		"less than nothing":    {probe.HTTP{URL: url, MaxBody: -1, Redirects: -1}, []string{"HTTP.MaxBody", "HTTP.Redirects"}},
		"more than is read":    {probe.HTTP{URL: url, MaxBody: 3, Contains: "good"}, []string{"HTTP.Contains"}},
		"the body of a HEAD":   {probe.HTTP{URL: url, Method: "HEAD", Contains: "good"}, []string{"HTTP.Contains"}},
		"no server":            {probe.TCP{}, []string{"TCP.Address"}},
		"no port":              {probe.TCP{Address: "localhost"}, []string{"TCP.Address"}},
		"an empty port":        {probe.TCP{Address: "localhost:"}, []string{"TCP.Address"}},
		"nothing to wait for":  {probe.TCP{Address: "localhost:1", Send: "PING"}, []string{"TCP.Send"}},
		"a reply too long":     {probe.TCP{Address: "localhost:1", Expect: strings.Repeat("x", probe.MaxReply+1)}, []string{"TCP.Expect"}},
		"no program":           {probe.Exec{}, []string{"probe: Exec: ", "Path"}},
		"an entry without =":   {probe.Exec{Path: "true", Env: []string{"A"}}, []string{"probe: Exec: ", "Env[0]"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantError(t, tt.probe.Validate(), tt.want...)
			wantError(t, ask(t, ample, tt.probe.Ping), tt.want...)
		})
	}
}

func TestAProbeMayBeAskedByManyAtOnce(t *testing.T) {
	t.Parallel()
	address := listen(t, after(func(c net.Conn) {
		_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nX-State: up\r\n\r\ngood"))
		_ = c.Close()
	}))
	greets := listen(t, says("good", "", 0))
	page := probe.HTTP{
		URL: "http://" + address, Header: http.Header{"Host": {"up"}, "x-a": {"b"}}, Want: http.Header{"X-State": {"up"}},
		Status: []probe.Range{{Min: 200}}, Contains: "good", Client: &http.Client{Transport: &http.Transport{}},
	}
	var all sync.WaitGroup
	for _, p := range []ping{page.Ping, probe.TCP{Address: greets, Expect: "good"}.Ping, script(t, "exit 0").Ping} {
		for range 8 {
			all.Go(func() {
				if err := ask(t, ample, p); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
}

// own is a probe that is not of this package.
type own string

func (o own) String() string { return string(o) }

func TestAnErrorOfAProbeOfOnesOwn(t *testing.T) {
	t.Parallel()
	cause := errors.New("token=hunter2 is\nnot known")
	for name, tt := range map[string]struct {
		reason string
		err    error
		want   string
		is     error
	}{
		"a reason":               {"no answer of ours", nil, "queue: no answer of ours", nil},
		"a reason and a cause":   {"not known", cause, "queue: not known", cause},
		"a cause alone":          {"", cause, `queue: token=*** is\nnot known`, cause},
		"a cause that is a time": {"", fmt.Errorf("dial: %w", context.DeadlineExceeded), "queue: no answer in time", context.DeadlineExceeded},
		"neither":                {"", nil, "queue: failed", nil},
		"a long reason":          {strings.Repeat("ä", 300), nil, "queue: " + strings.Repeat("ä", 256) + "...", nil},
		"half a rune at the cut": {"x" + strings.Repeat("ä", 300), nil, "queue: x" + strings.Repeat("ä", 255) + "...", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := probe.NewError(t.Context(), own("queue"), tt.reason, tt.err)
			if err.Error() != tt.want || !errors.Is(err, tt.is) && tt.is != nil {
				t.Errorf("got %q, want %q", err, tt.want)
			}
		})
	}
	t.Run("the tree's redactor is asked", func(t *testing.T) {
		t.Parallel()
		ctx := context.WithValue(t.Context(), child.RuntimeKey{}, &run{})
		if got := probe.NewError(ctx, own("queue"), "the cat is out", nil).Error(); got != "queue: the dog is out" {
			t.Errorf("got %q", got)
		}
	})
}
