//go:build unix

package process_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/child/process/internal/spawn"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// webServer serves on the socket that it is given.
var webServer = addRole("web server", func([]string) {
	if os.Getenv("LISTEN_FDS") != "1" {
		os.Exit(2)
	}
	listener, err := net.FileListener(os.NewFile(3, "web"))
	orExit(err)
	orExit(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(time.Millisecond) // long enough to be cut in the middle
		_, _ = io.WriteString(w, "hello")
	})))
})

// client connects without a pause until ctx ends.
type client struct{ refused, served, cut atomic.Int64 }

func (c *client) run(ctx context.Context, address string) {
	for ctx.Err() == nil {
		conn, err := net.DialTimeout("tcp", address, 10*time.Second)
		if err != nil {
			c.refused.Add(1)
			continue
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, err = io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n")
		reply, readErr := io.ReadAll(conn)
		_ = conn.Close()
		if err == nil && readErr == nil && strings.HasSuffix(string(reply), "hello") {
			c.served.Add(1)
		} else {
			c.cut.Add(1)
		}
	}
}

// TestNoConnectionIsRefusedWhileAWebServerIsKilled kills it ten times. With
// COPPICE_LONG set it kills it once a second for twenty seconds.
func TestNoConnectionIsRefusedWhileAWebServerIsKilled(t *testing.T) {
	if !spawn.Vfork {
		t.Skip("sockets are passed on by a start of our own only")
	}
	kills, between := 10, 100*time.Millisecond
	if os.Getenv("COPPICE_LONG") != "" {
		kills, between = 20, time.Second
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip("no network: ", err)
	}
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close() // what is left of it is the socket
	defer socket.Close()
	sup, err := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}.Start(t.Context(), supervisor.Spec{
		Name: "root", Backoff: strategies.Backoff{Min: strategies.None}, Intensity: strategies.Intensity{Restarts: strategies.Unlimited},
		Children: []child.Specer{child.Spec{Name: "web", Run: process.Command{
			Path: os.Args[0], Env: []string{roleVariable + "=" + webServer},
			Sockets: []process.Socket{{Name: "web", File: socket}},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var c client
	var clients sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	for range 4 {
		clients.Go(func() { c.run(ctx, listener.Addr().String()) })
	}
	for i := range kills {
		time.Sleep(between)
		served := c.served.Load() // each of them has answered somebody
		comesTrue(t, "the next one answers", func() bool { return c.served.Load() > served })
		h, err := supervisor.Get[*process.Handle](t.Context(), sup.Find("root/web"))
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Signal(process.Leader, syscall.SIGKILL); err != nil {
			t.Errorf("kill %d: %v", i, err)
		}
		h.Join(10 * time.Second)
	}
	cancel()
	clients.Wait()
	if err := sup.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	t.Logf("%d kills, %d answers, %d cut in the middle, %d refused", kills, c.served.Load(), c.cut.Load(), c.refused.Load())
	if c.refused.Load() > 0 {
		t.Error("a connection was refused")
	}
}
