package systemd

import (
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"strconv"
	"time"
)

// patience is how long one datagram may wait for systemd to take it.
const patience = 5 * time.Second

// address is where systemd listens; empty if there is nobody.
func address() (string, error) {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" || name[0] == '/' || name[0] == '@' {
		return name, nil
	}
	return "", errors.New("systemd: what NOTIFY_SOCKET names is neither a path nor an abstract socket")
}

// watchdog is the longest time between two signs of life that systemd accepts;
// zero if it does not wait for any of this process.
func watchdog() (time.Duration, error) {
	if pid := os.Getenv("WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0, nil
	}
	text := os.Getenv("WATCHDOG_USEC")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 {
		return 0, errors.New("systemd: WATCHDOG_USEC is not a number of microseconds")
	}
	return time.Duration(min(n, math.MaxInt64/1000)) * time.Microsecond, nil
}

// sender sends datagrams to an address. Each has a socket of its own: they are
// few, and whoever listens there may have begun anew.
func sender(to string) func(string) error {
	return func(text string) error {
		conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Net: "unixgram", Name: to})
		if err != nil {
			return unsent(err)
		}
		defer conn.Close()
		_ = conn.SetWriteDeadline(time.Now().Add(patience))
		if _, err = conn.Write([]byte(text)); err != nil {
			return unsent(err)
		}
		return nil
	}
}

// unsent tells an error without the address, which is the value of a variable.
func unsent(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return fmt.Errorf("systemd: it cannot be told: %w", err)
}
