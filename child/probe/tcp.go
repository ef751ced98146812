package probe

import (
	"context"
	"errors"
	"net"
	"time"
)

// MaxReply is how many bytes of a reply a [TCP] probe reads at most.
const MaxReply = 4 << 10

// TCP connects to a server, and may exchange a word with it. The zero value is
// not valid, because it names none. It may be used from any goroutine, by many
// at once.
type TCP struct {
	// Address is host and port, as in localhost:6379. Required.
	Address string
	// Send is said when the connection is there. Optional; it needs an Expect.
	Send string
	// Expect is a text that is in the first MaxReply bytes that come. Optional;
	// zero is that a connection is enough.
	Expect string
}

// Ping asks once and returns nil if the server accepted, and said what it was
// expected to; else an [*Error], or what Validate says.
func (t TCP) Ping(ctx context.Context) error {
	if err := t.Validate(); err != nil {
		return err
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", t.Address)
	if err != nil {
		return NewError(ctx, t, "", err)
	}
	defer func() { _ = conn.Close() }()
	if t.Expect == "" {
		return nil
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // wakes who waits for it
	defer stop()
	if _, err := conn.Write([]byte(t.Send)); err != nil {
		return NewError(ctx, t, "", err)
	}
	return find(ctx, t, conn, t.Expect, MaxReply)
}

// Validate reports every mistake in t, joined by [errors.Join].
func (t TCP) Validate() error {
	var m mistakes
	_, port, err := net.SplitHostPort(t.Address)
	m.add(err != nil || port == "", "TCP.Address", "must be host and port, as in localhost:6379")
	m.add(t.Send != "" && t.Expect == "", "TCP.Send", "needs an Expect")
	m.add(len(t.Expect) > MaxReply, "TCP.Expect", "must not be longer than what is read of a reply")
	return errors.Join(m...)
}

// String is tcp and the address.
func (t TCP) String() string { return "tcp " + oneLine(t.Address) }

// GoString shows what String shows, so that %#v tells no secret.
func (t TCP) GoString() string { return "probe.TCP(" + t.String() + ")" }

// MarshalText is [TCP.String], so that neither JSON nor a log tells a secret.
func (t TCP) MarshalText() ([]byte, error) { return []byte(t.String()), nil }
