package probe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	// DefaultMaxBody is how many bytes of a body are read at most.
	DefaultMaxBody = 64 << 10
	// maxHeader is how long the header of an answer may be, in bytes.
	maxHeader = 64 << 10
	// userAgent is by what the other side's log knows a probe.
	userAgent = "coppice-probe"
)

// HTTP asks a server for a page. The zero value is not valid, because it names
// none. It may be used from any goroutine, by many at once, as long as nobody
// changes what its fields hold.
type HTTP struct {
	// URL is the page, of http or https. Required.
	URL string
	// Method is that of the request. Optional; zero is GET.
	Method string
	// Header is that of the request; Host in it is the name of the server that
	// is asked for. Optional.
	Header http.Header
	// Status are the codes of a good answer. Optional; zero is 200 to 399.
	Status []Range
	// Want are fields that the header of a good answer has: each value that
	// stands here is one of those there, and without any the field just is
	// there. Optional.
	Want http.Header
	// Contains is a text that is in the body of a good answer. Optional; zero
	// does not read the body.
	Contains string
	// MaxBody is how many bytes of the body are read in search of Contains.
	// Optional; zero is DefaultMaxBody.
	MaxBody int
	// Redirects is how many redirects are followed, each of them to the same
	// host and port, or from http to https on the same host. Optional; zero
	// is none: the redirect is the answer then.
	Redirects int
	// Client is through whom to ask, for certificates, a proxy, cookies or
	// another way to connect. Of its fields, CheckRedirect is not used. If its
	// Transport is an *http.Transport, a copy of it is used that keeps no
	// connection; another one is asked to close each connection after its
	// request. Its Timeout counts beside the deadline of the context. Optional;
	// zero connects directly, whatever proxy the environment
	// names, and so does a client without a Transport.
	Client *http.Client
}

// Ping asks once and returns nil if the answer is as it is wanted, else an
// [*Error], or what Validate says.
func (h HTTP) Ping(ctx context.Context) error {
	if err := h.Validate(); err != nil {
		return err
	}
	if h.Client != nil && h.Client.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, h.Client.Timeout)
		defer cancel()
	}
	request, err := h.request(ctx)
	if err != nil {
		return NewError(ctx, h, "", bare(err))
	}
	client, release := h.client()
	defer release()
	answer, err := client.Do(request)
	if err != nil {
		return NewError(ctx, h, "", bare(err))
	}
	defer func() { _ = answer.Body.Close() }()
	if reason := h.refuses(answer); reason != "" {
		return NewError(ctx, h, reason, nil)
	}
	if h.Contains == "" {
		return nil
	}
	return find(ctx, h, answer.Body, h.Contains, h.maxBody())
}

func (h HTTP) request(ctx context.Context) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, h.method(), h.URL, nil)
	if err != nil {
		return nil, err
	}
	request.Header = http.Header{"User-Agent": {userAgent}}
	for name, values := range h.Header {
		request.Header[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
	request.Host = request.Header.Get("Host")
	request.Header.Del("Host")
	request.Close = true
	return request, nil
}

// client is who asks once; release lets go of what it holds.
func (h HTTP) client() (client *http.Client, release func()) {
	client = &http.Client{CheckRedirect: h.follow}
	if h.Client != nil {
		client.Transport, client.Jar = h.Client.Transport, h.Client.Jar
	}
	transport := &http.Transport{DisableCompression: true, ForceAttemptHTTP2: true}
	switch given := client.Transport.(type) {
	case nil:
	case *http.Transport:
		transport = given.Clone()
	default:
		return client, func() {}
	}
	transport.DisableKeepAlives = true
	if transport.MaxResponseHeaderBytes == 0 {
		transport.MaxResponseHeaderBytes = maxHeader
	}
	client.Transport = transport
	return client, transport.CloseIdleConnections // and gives up what is being dialled
}

// follow says whether a redirect is followed.
func (h HTTP) follow(next *http.Request, via []*http.Request) error {
	last := via[len(via)-1].URL
	upgrade := last.Scheme == "http" && next.URL.Scheme == "https" && last.Hostname() == next.URL.Hostname()
	switch {
	case h.Redirects == 0:
		return http.ErrUseLastResponse
	case len(via) > h.Redirects:
		return fmt.Errorf("more redirects than %d", h.Redirects)
	case upgrade || last.Scheme == next.URL.Scheme && last.Host == next.URL.Host:
		next.Close = true
		return nil
	}
	return fmt.Errorf("redirected to %s://%s, which is another host", next.URL.Scheme, next.URL.Host)
}

// refuses says what is wrong with the status or the header of an answer. It
// never shows a header's value.
func (h HTTP) refuses(answer *http.Response) string {
	good := h.Status
	if len(good) == 0 {
		good = []Range{{Min: 200, Max: 399}}
	}
	if !slices.ContainsFunc(good, func(r Range) bool { return r.holds(answer.StatusCode) }) {
		return fmt.Sprintf("status %d, want %s", answer.StatusCode, ranges(good))
	}
	for _, name := range sorted(h.Want) {
		there := answer.Header.Values(name)
		if len(there) == 0 {
			return fmt.Sprintf("no header %q", name)
		}
		for _, value := range h.Want[name] {
			if !slices.Contains(there, value) {
				return fmt.Sprintf("header %q has another value", name)
			}
		}
	}
	return ""
}

// Validate reports every mistake in h, joined by [errors.Join].
func (h HTTP) Validate() error {
	var m mistakes
	u, err := url.Parse(h.URL)
	m.add(err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https", "HTTP.URL", "must be a URL of http or https with a host")
	if _, err := http.NewRequest(h.method(), "", nil); err != nil {
		m.add(true, "HTTP.Method", "must be a method of HTTP")
	}
	for _, r := range h.Status {
		m.add(!r.valid(), "HTTP.Status", "must be codes from 100 to 999, the lower one first")
	}
	m.add(h.MaxBody < 0, "HTTP.MaxBody", "must not be negative")
	m.add(h.MaxBody >= 0 && len(h.Contains) > h.maxBody(), "HTTP.Contains", "must not be longer than what is read of a body")
	m.add(h.method() == http.MethodHead && h.Contains != "", "HTTP.Contains", "must not be looked for in the answer to a HEAD, which has no body")
	m.add(h.Redirects < 0, "HTTP.Redirects", "must not be negative")
	return errors.Join(m...)
}

func (h HTTP) method() string {
	if h.Method == "" {
		return http.MethodGet
	}
	return h.Method
}

func (h HTTP) maxBody() int {
	if h.MaxBody == 0 {
		return DefaultMaxBody
	}
	return h.MaxBody
}

// String is the method and the URL, without its userinfo and its query, in the
// places of which are three stars.
func (h HTTP) String() string { return oneLine(h.method()) + " " + hidden(h.URL) }

// GoString shows what String shows, so that %#v tells no secret.
func (h HTTP) GoString() string { return "probe.HTTP(" + h.String() + ")" }

// MarshalText is [HTTP.String], so that neither JSON nor a log tells a secret.
func (h HTTP) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// hidden is a URL without what may be secret in it.
func hidden(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "(no URL)"
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	if u.RawQuery != "" {
		shown.RawQuery = "***"
	}
	if u.User == nil {
		return shown.String()
	}
	return strings.Replace(shown.String(), "://", "://***@", 1)
}

// bare is an error of the client without the URL that the client adds.
func bare(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
