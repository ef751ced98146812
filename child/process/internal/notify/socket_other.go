//go:build !linux

package notify

import (
	"errors"
	"fmt"
	"time"
)

// Socket exists on Linux only.
type Socket struct{}

// Listen is an error: nothing tells here who sent a datagram.
func Listen(Options) (*Socket, error) {
	return nil, fmt.Errorf("notify: a socket that knows its senders: %w", errors.ErrUnsupported)
}

// Path is empty.
func (*Socket) Path() string { return "" }

// FD is none.
func (*Socket) FD() int { return -1 }

// Read does nothing.
func (*Socket) Read() time.Duration { return 0 }

// Counters is zero.
func (*Socket) Counters() Counters { return Counters{} }

// Close does nothing.
func (*Socket) Close() {}
