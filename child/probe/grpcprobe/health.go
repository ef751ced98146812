package grpcprobe

import (
	"context"
	"errors"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/coppice-go/coppice/child/probe"
)

const (
	// maxReply is how long an answer may be, in bytes; a good one has two.
	maxReply = 4 << 10
	// maxHeader is how long the header of an answer may be, in bytes.
	maxHeader = 64 << 10
)

// Health asks a server for the health of a service. The zero value is not
// valid, because it names no server. It may be used from any goroutine, by many
// at once, as long as nobody changes what its fields hold.
type Health struct {
	// Target is the server as gRPC names it, as in localhost:9090 or
	// unix:/run/shop.sock. Required.
	Target string
	// Service is the name of the service. Optional; zero is the server as a
	// whole.
	Service string
	// Credentials are those of the transport, such as TLS. Optional; zero is a
	// connection without encryption.
	Credentials credentials.TransportCredentials
	// Options are further options of the connection, such as credentials for
	// each call or another way to connect. They come last, and so count before
	// what the probe sets: that no proxy of the environment is used, no service
	// config is looked up, no call is tried again, and that an answer is short.
	// Optional.
	Options []grpc.DialOption
}

// Ping connects, asks once and returns nil if the answer is SERVING, else a
// [*probe.Error], whose Err has the status of gRPC if the call failed, or what
// Validate says. The deadline of ctx is the only timeout.
func (h Health) Ping(ctx context.Context) error {
	if err := h.Validate(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return probe.NewError(ctx, h, "", ctx.Err())
	}
	conn, err := grpc.NewClient(h.Target, h.options()...)
	if err != nil {
		return probe.NewError(ctx, h, "", err)
	}
	defer func() { _ = conn.Close() }()
	answer, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: h.Service})
	if err != nil {
		return probe.NewError(ctx, h, reason(ctx, err), err)
	}
	if said := answer.GetStatus(); said != grpc_health_v1.HealthCheckResponse_SERVING {
		return probe.NewError(ctx, h, "status "+said.String()+", want SERVING", nil)
	}
	return nil
}

func (h Health) options() []grpc.DialOption {
	transport := h.Credentials
	if transport == nil {
		transport = insecure.NewCredentials()
	}
	return append([]grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithNoProxy(),
		grpc.WithDisableServiceConfig(),
		grpc.WithDisableRetry(),
		grpc.WithMaxHeaderListSize(maxHeader),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxReply)),
		grpc.WithUserAgent("coppice-probe"),
	}, h.Options...)
}

// reason is the status of a call that failed, or nothing if its time was over.
func reason(ctx context.Context, err error) string {
	failed := status.Convert(err)
	switch {
	case ctx.Err() != nil:
		return ""
	case failed.Code() == codes.DeadlineExceeded:
		return "no answer in time"
	case failed.Code() == codes.NotFound:
		return "the server does not know the service"
	case failed.Code() == codes.Unimplemented:
		return "the server has no health service"
	}
	return failed.Code().String() + ": " + failed.Message()
}

// Validate reports every mistake in h.
func (h Health) Validate() error {
	if strings.TrimSpace(h.Target) == "" {
		return errors.New("grpcprobe: Health.Target: must name a server, as in localhost:9090")
	}
	return nil
}

// String is grpc, the target and the service.
func (h Health) String() string {
	if h.Service == "" {
		return "grpc " + h.Target
	}
	return "grpc " + h.Target + " " + h.Service
}

// GoString shows what String shows, so that %#v tells no secret.
func (h Health) GoString() string { return "grpcprobe.Health(" + h.String() + ")" }

// MarshalText is [Health.String], so that neither JSON nor a log tells a secret.
func (h Health) MarshalText() ([]byte, error) { return []byte(h.String()), nil }
