//go:build linux

package process_test

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/child/process/internal/spawn"
)

func TestWhatTheSystemIsToldHoldsInTheProcess(t *testing.T) {
	if !spawn.Vfork {
		t.Skip("this build starts processes as the system's library does, which tells the system little")
	}
	needTools(t, "nice", "cat", "grep")
	nice, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil || nice < 12 { // the system call counts down from 20
		t.Skip("this machine is nicer than the test: ", nice, err)
	}
	for name, tt := range map[string]struct {
		told         process.System
		script, want string
	}{
		"a mask":               {process.System{Umask: process.Mask(0o027)}, "umask", "0027"},
		"no mask at all":       {process.System{Umask: process.Mask(0)}, "umask", "0000"},
		"a niceness":           {process.System{Nice: 7}, "nice", "7"},
		"a limit of files":     {process.System{Limits: []process.Limit{{Name: "nofile", Soft: 100, Hard: 200}}}, "ulimit -Sn; ulimit -Hn", "100\n200"},
		"a limit of core size": {process.System{Limits: []process.Limit{{Name: "core"}}}, "ulimit -Sc; ulimit -Hc", "0\n0"},
		"a badness":            {process.System{OOMScore: 500}, "cat /proc/self/oom_score_adj", "500"},
		"a processor":          {process.System{CPUs: []int{0}}, "grep Cpus_allowed_list /proc/self/status", "Cpus_allowed_list:\t0"},
		"no new privileges":    {process.System{NoNewPrivileges: true}, "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1"},
		"a processor and a mask": {
			process.System{CPUs: []int{0}, Umask: process.Mask(0o077)}, "umask; grep Cpus_allowed_list /proc/self/status", "0077\nCpus_allowed_list:\t0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out lines
			c := shell(t, tt.script, &out)
			c.System = tt.told
			mask, score := ownSettings()
			if err := c.Serve(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(out.String()); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if m, s := ownSettings(); m != mask || s != score {
				t.Errorf("our own mask is %q, was %q; our badness %q, was %q", m, mask, s, score)
			}
		})
	}
}

// ownSettings are our own mask and badness, which a start must leave alone.
func ownSettings() (mask, score string) {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "Umask:") {
			mask = line
		}
	}
	b, _ := os.ReadFile("/proc/self/oom_score_adj")
	return mask, string(b)
}
