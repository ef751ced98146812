package grpcprobe_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/coppice-go/coppice/child/probe"
	"github.com/coppice-go/coppice/child/probe/grpcprobe"
)

const (
	// short is a deadline that is meant to be over.
	short = 200 * time.Millisecond
	// ample is a deadline that is not, on however slow a machine.
	ample = 30 * time.Second
	// secret is what nobody may see.
	secret = "hunter2"
)

var asked atomic.Int64

// ask asks once, with that much time. The ping has to return, and to leave no
// goroutine behind.
func ask(t *testing.T, timeout time.Duration, h grpcprobe.Health) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	number := strconv.FormatInt(asked.Add(1), 10)
	answer := make(chan error, 1)
	go pprof.Do(ctx, pprof.Labels("ping", number), func(ctx context.Context) { answer <- h.Ping(ctx) })
	select {
	case err := <-answer:
		await(t, "the goroutines of a ping", func() string { return labelled(number) })
		return err
	case <-time.After(ample):
		t.Fatal("the ping does not return")
		return nil
	}
}

// labelled is the stacks of the goroutines of a ping.
func labelled(number string) string {
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return err.Error()
	}
	var found []string
	for stack := range strings.SplitSeq(profile.String(), "\n\n") {
		if strings.Contains(stack, fmt.Sprintf("%q:%q", "ping", number)) {
			found = append(found, stack)
		}
	}
	return strings.Join(found, "\n\n")
}

// await waits until nothing is left of what ends in its own time.
func await(t *testing.T, what string, left func() string) {
	t.Helper()
	var last string
	for end := time.Now().Add(ample); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if last = left(); last == "" {
			return
		}
	}
	t.Errorf("%s: left are\n%s", what, last)
}

// counted counts the connections that are open.
type counted struct {
	net.Listener
	open *atomic.Int64
}

func (l counted) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.open.Add(1)
	return &connection{Conn: conn, open: l.open}, nil
}

type connection struct {
	net.Conn
	once sync.Once
	open *atomic.Int64
}

func (c *connection) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}

func listen(t *testing.T) (l net.Listener, open *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip("it needs the loopback interface: ", err)
	}
	t.Cleanup(func() { _ = l.Close() })
	open = new(atomic.Int64)
	return counted{l, open}, open
}

// serve runs a server that serves the service up, and knows down, which does
// not. It returns its address and the number of its connections.
func serve(t *testing.T, options ...grpc.ServerOption) (target string, open *atomic.Int64) {
	t.Helper()
	checks := health.NewServer()
	checks.SetServingStatus("up", grpc_health_v1.HealthCheckResponse_SERVING)
	checks.SetServingStatus("down", grpc_health_v1.HealthCheckResponse_NOT_SERVING)
	checks.SetServingStatus("odd", grpc_health_v1.HealthCheckResponse_UNKNOWN)
	server := grpc.NewServer(options...)
	grpc_health_v1.RegisterHealthServer(server, checks)
	return run(t, server)
}

func run(t *testing.T, server *grpc.Server) (target string, open *atomic.Int64) {
	t.Helper()
	l, open := listen(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // it ends with the test
	}()
	t.Cleanup(func() { server.Stop(); <-done })
	return l.Addr().String(), open
}

// answers makes every call of a server the one of f.
func answers(f func(ctx context.Context) error) grpc.ServerOption {
	return grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		if err := f(ctx); err != nil {
			return nil, err
		}
		return next(ctx, req)
	})
}

// hangs is a call that has no end of its own.
func hangs(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// certified are the credentials of a server, and those of who knows it.
func certified(t *testing.T) (server grpc.ServerOption, client credentials.TransportCredentials) {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler()) // it has a certificate for 127.0.0.1
	t.Cleanup(s.Close)
	pool := s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	return grpc.Creds(credentials.NewServerTLSFromCert(&s.TLS.Certificates[0])), credentials.NewTLS(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12})
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, _ := listen(t)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func TestAServerIsWellThatSaysItServes(t *testing.T) {
	t.Parallel()
	target, _ := serve(t)
	bare, _ := run(t, grpc.NewServer())
	creds, known := certified(t)
	secure, _ := serve(t, creds)
	failing, _ := serve(t, answers(func(context.Context) error { return status.Error(codes.ResourceExhausted, "too many") }))
	late, _ := serve(t, answers(func(context.Context) error { return status.Error(codes.DeadlineExceeded, "behind") }))
	refused := closedPort(t)
	for name, tt := range map[string]struct {
		probe grpcprobe.Health
		want  string // of the error, or none
	}{
		"the server":                        {grpcprobe.Health{Target: target}, ""},
		"a service":                         {grpcprobe.Health{Target: target, Service: "up"}, ""},
		"a service that does not serve":     {grpcprobe.Health{Target: target, Service: "down"}, "grpc " + target + " down: status NOT_SERVING, want SERVING"},
		"a service that does not know":      {grpcprobe.Health{Target: target, Service: "odd"}, "status UNKNOWN, want SERVING"},
		"a service that nobody knows":       {grpcprobe.Health{Target: target, Service: "none"}, "the server does not know the service"},
		"a server without a health service": {grpcprobe.Health{Target: bare}, "the server has no health service"},
		"a server that fails":               {grpcprobe.Health{Target: failing}, "ResourceExhausted: too many"},
		"a server whose own time is over":   {grpcprobe.Health{Target: late}, "no answer in time"},
		"nobody listens":                    {grpcprobe.Health{Target: refused}, "grpc " + refused + ": Unavailable: "},
		"a target that is none":             {grpcprobe.Health{Target: "unix://host/%zz"}, "grpc unix://host/%zz: "},
		"TLS":                               {grpcprobe.Health{Target: secure, Credentials: known}, ""},
		"TLS that nobody knows":             {grpcprobe.Health{Target: secure, Credentials: credentials.NewTLS(nil)}, "certificate"},
		"TLS that is not spoken":            {grpcprobe.Health{Target: secure}, "Unavailable: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := ask(t, ample, tt.probe)
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it to say %q", err, tt.want)
			}
			if e := (*probe.Error)(nil); !errors.As(err, &e) {
				t.Errorf("%T is no error of a probe", err)
			}
		})
	}
	t.Run("the status of a call is there to be looked at", func(t *testing.T) {
		t.Parallel()
		if got := status.Code(ask(t, ample, grpcprobe.Health{Target: failing})); got != codes.ResourceExhausted {
			t.Errorf("got %v", got)
		}
	})
}

func TestNoPingOutlivesItsDeadline(t *testing.T) {
	t.Parallel()
	hanging, _ := serve(t, answers(hangs))
	l, _ := listen(t)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, conn); _ = conn.Close() }()
		}
	}()
	for name, h := range map[string]grpcprobe.Health{
		"a call that hangs":                   {Target: hanging},
		"a server that accepts and is silent": {Target: l.Addr().String()},
		"no handshake":                        {Target: l.Addr().String(), Credentials: credentials.NewTLS(nil)},
		"a connection that does not come about": {Target: "passthrough:///nowhere", Options: []grpc.DialOption{grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			err := ask(t, short, h)
			if took := time.Since(began); took < short-10*time.Millisecond {
				t.Errorf("it took %v, less than the %v that it had", took, short)
			}
			if !errors.Is(err, context.DeadlineExceeded) || !strings.HasSuffix(err.Error(), ": no answer in time") {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("a context that has ended asks nobody", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := (grpcprobe.Health{Target: hanging}).Ping(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestAPingLeavesNothingBehind(t *testing.T) {
	t.Parallel() // the goroutines are looked at by ask
	target, open := serve(t, answers(func(ctx context.Context) error {
		if in, _ := metadata.FromIncomingContext(ctx); len(in.Get("slow")) > 0 {
			return hangs(ctx)
		}
		return nil
	}))
	slow := grpc.WithUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		return invoke(metadata.AppendToOutgoingContext(ctx, "slow", "yes"), method, req, reply, cc, opts...)
	})
	for name, tt := range map[string]struct {
		probe   grpcprobe.Health
		timeout time.Duration
	}{
		"well": {grpcprobe.Health{Target: target}, ample}, "ill": {grpcprobe.Health{Target: target, Service: "down"}, ample},
		"late": {grpcprobe.Health{Target: target, Options: []grpc.DialOption{slow}}, short},
	} {
		if err := ask(t, tt.timeout, tt.probe); (err == nil) != (name == "well") {
			t.Errorf("%s: got %v", name, err)
		}
		await(t, name, func() string { return strings.Trim(strconv.FormatInt(open.Load(), 10), "0") })
	}
}

// bearer is a secret that goes with each call.
type bearer struct{}

func (bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + secret}, nil
}

func (bearer) RequireTransportSecurity() bool { return false }

func TestAFailureIsOneShortLineAndShowsNoSecret(t *testing.T) {
	t.Parallel()
	target, _ := serve(t, answers(func(ctx context.Context) error {
		in, _ := metadata.FromIncomingContext(ctx)
		return status.Error(codes.Unauthenticated, "\x1b[31mno\nauthorization: "+strings.Join(in["authorization"], "")+strings.Repeat("\r\n", 900))
	}))
	h := grpcprobe.Health{Target: target, Options: []grpc.DialOption{grpc.WithPerRPCCredentials(bearer{})}}
	err := ask(t, ample, h)
	if err == nil {
		t.Fatal("it did not fail")
	}
	text := err.Error()
	if !strings.Contains(text, "authorization: Bearer ***") {
		t.Errorf("%q does not show what came", text)
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 || len(text) > 2<<10 {
		t.Errorf("%q has %d bytes, and at %d what does not print", text, len(text), i)
	}
	written, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{text, fmt.Sprintf("%v %+v %#v", h, h, h), string(written)} {
		if strings.Contains(shown, secret) {
			t.Errorf("it shows %q", shown)
		}
	}
}

func TestNoProxyIsUsedThatTheEnvironmentNames(t *testing.T) {
	l, _ := listen(t)
	var used atomic.Bool
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			used.Store(true)
			_ = conn.Close()
		}
	}()
	for _, name := range []string{"HTTPS_PROXY", "https_proxy"} {
		t.Setenv(name, "http://"+l.Addr().String())
	}
	const nowhere = "192.0.2.1:443" // of a network that is only for documentation
	if err := ask(t, 2*short, grpcprobe.Health{Target: nowhere}); err == nil || used.Load() {
		t.Errorf("got %v by the proxy of the environment", err)
	}
}

func TestAMistakeIsToldAndNothingIsAsked(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"", " "} {
		h := grpcprobe.Health{Target: target}
		if err := ask(t, ample, h); err == nil || err.Error() != fmt.Sprint(h.Validate()) || !strings.Contains(err.Error(), "Health.Target") {
			t.Errorf("got %v", err)
		}
	}
}

func TestAProbeMayBeAskedByManyAtOnce(t *testing.T) {
	t.Parallel()
	target, _ := serve(t)
	h := grpcprobe.Health{Target: target, Service: "up", Options: []grpc.DialOption{grpc.WithUserAgent("many")}}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := ask(t, ample, h); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func ExampleHealth() {
	orders := grpcprobe.Health{Target: "localhost:9090", Service: "shop.Orders"}
	fmt.Println(orders)
	fmt.Println(grpcprobe.Health{}.Validate())
	// Output:
	// grpc localhost:9090 shop.Orders
	// grpcprobe: Health.Target: must name a server, as in localhost:9090
}
