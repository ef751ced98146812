package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/probe"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// The names of the tree and of its parts.
const (
	name   = "webstack"
	redis  = "redis"
	worker = "worker"
	nginx  = "nginx"
)

// programs are where the programs are; one that is not there is empty.
type programs struct{ redis, nginx string }

// installed looks for the programs, and says how to install what is missing.
func installed(out io.Writer) programs {
	return programs{
		redis: look(out, "redis-server", "the worker counts in its own memory", "apt-get install redis-server, or: brew install redis"),
		nginx: look(out, "nginx", "the client asks the worker itself", "apt-get install nginx, or: brew install nginx"),
	}
}

// look finds a program, also where PATH names the folders of root for root only.
func look(out io.Writer, program, without, install string) string {
	for _, file := range []string{program, "/usr/sbin/" + program, "/usr/local/sbin/" + program} {
		if path, err := exec.LookPath(file); err == nil {
			return path
		}
	}
	fmt.Fprintf(out, "%s is not installed, so that %s.\n  Install it with: %s\n", program, without, install)
	return ""
}

// stack is the parts that there are, in the order of their start.
type stack struct {
	parts []child.Spec
	url   string // where the client asks
}

// newStack gives each part an address and nginx its configuration.
func newStack(dir string, have programs) (*stack, error) {
	ports, err := free(3)
	if err != nil {
		return nil, err
	}
	store, web, front := ports[0], ports[1], ports[2]
	s := &stack{url: "http://" + web}
	if have.redis == "" {
		store = ""
	} else {
		s.add(redis, redisAt(have.redis, store, dir), probe.TCP{Address: store, Send: "PING\r\n", Expect: "+PONG"}.Ping)
	}
	s.add(worker, service{listen: web, store: store}, probe.HTTP{URL: s.url + "/healthz"}.Ping)
	if have.nginx != "" {
		conf := filepath.Join(dir, "nginx.conf")
		if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, dir, front, s.url), 0o600); err != nil {
			return nil, err
		}
		s.url = "http://" + front
		s.add(nginx, process.Command{Path: have.nginx, Args: []string{"-e", "stderr", "-c", conf, "-g", "daemon off;"}},
			probe.HTTP{URL: s.url + "/healthz"}.Ping)
	}
	return s, nil
}

func (s *stack) add(name string, run child.Service, ping func(context.Context) error) {
	s.parts = append(s.parts, child.Spec{
		Name: name, Run: run,
		Ready: child.Readiness{Probe: ping, Interval: 20 * time.Millisecond, Timeout: time.Second, Patience: 10 * time.Second},
	})
}

// last is the part whose start completes that of all.
func (s *stack) last() string { return s.parts[len(s.parts)-1].Name }

// tree is the parts as children of one supervisor. Each builds upon those
// before it, so that the end of one takes with it those after it.
func (s *stack) tree() supervisor.Spec {
	spec := supervisor.Spec{
		Name: name, Strategy: strategies.RestForOne,
		Intensity: strategies.Intensity{Restarts: 5, Period: 10 * time.Second},
		Backoff:   strategies.Backoff{Min: 100 * time.Millisecond, Max: 5 * time.Second},
	}
	for _, part := range s.parts {
		spec.Children = append(spec.Children, part)
	}
	return spec
}

// redisAt is a redis that keeps everything in memory: what it counts begins
// anew with each run.
func redisAt(path, address, dir string) process.Command {
	host, port, _ := net.SplitHostPort(address)
	return process.Command{Path: path, Args: []string{
		"--bind", host, "--port", port, "--dir", dir, "--save", "", "--appendonly", "no", "--daemonize", "no",
	}}
}

// nginxConf wants the directory, the address and the worker's URL. Its temporary
// folders would otherwise be where only root may write.
const nginxConf = `
worker_processes 2;
error_log stderr warn;
pid %[1]s/nginx.pid;
events { worker_connections 256; }
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	server {
		listen %[2]s;
		location / { proxy_pass %[3]s; }
	}
}
`

// free is n addresses that nobody listened at a moment ago.
func free(n int) ([]string, error) {
	var addresses []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // at the end, so that they differ
		addresses = append(addresses, l.Addr().String())
	}
	return addresses, nil
}
