package probe_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/coppice-go/coppice/child/probe"
)

// A page is well if its status, its header and its body are.
func ExampleHTTP() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = fmt.Fprintln(w, "database: ok")
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	well := probe.HTTP{URL: server.URL + "/healthz", Contains: "database: ok"}
	fmt.Println(well.Ping(ctx))
	ill := probe.HTTP{URL: server.URL + "/ready?token=hunter2", Status: []probe.Range{{Min: 200, Max: 299}}}
	fmt.Println(strings.ReplaceAll(ill.Ping(ctx).Error(), server.URL, "http://localhost"))
	// Output:
	// <nil>
	// GET http://localhost/ready?***: status 503, want 200-299
}

// A server of one's own protocol is asked in its words.
func ExampleTCP() {
	store := probe.TCP{Address: "localhost:6379", Send: "PING\r\n", Expect: "+PONG"}
	fmt.Println(store)
	fmt.Println(probe.TCP{Address: "localhost"}.Validate())
	// Output:
	// tcp localhost:6379
	// probe: TCP.Address: must be host and port, as in localhost:6379
}

// A program says by its code whether all is well, and may say why not. Its
// arguments are not shown.
func ExampleExec() {
	ready := probe.Exec{Path: "pg_isready", Args: []string{"--dbname", "postgres://me:hunter2@localhost/shop"}}
	fmt.Printf("%v, %#v\n", ready, ready)
	// Output:
	// exec pg_isready, probe.Exec(exec pg_isready)
}

// A probe of one's own fails in the same words.
func ExampleNewError() {
	err := probe.NewError(context.Background(), probe.TCP{Address: "localhost:5672"}, "", fmt.Errorf("login failed: password=hunter2\n"))
	fmt.Println(err)
	// Output:
	// tcp localhost:5672: login failed: password=***\n
}
