//go:build linux

package process_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"reflect"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
)

func TestOneServeIsOneProcessAndKeepsNothingInTheCommand(t *testing.T) {
	var out lines
	c := shell(t, "echo $$", &out)
	before := c
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			for range 3 {
				if err := c.Serve(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	seen := map[int]bool{}
	for _, pid := range numbersIn(out.String()) {
		seen[pid] = true
	}
	if len(seen) != 30 {
		t.Errorf("%d processes: %v", len(seen), seen)
	}
	if !reflect.DeepEqual(c, before) {
		t.Error("the command has changed")
	}
}

func TestTheStartIsCompleteWhenTheProgramExecutes(t *testing.T) {
	needTools(t, "sleep")
	r := serving(t, process.Command{Path: "sleep", Args: []string{"300"}})
	comesTrue(t, "it executes the program", func() bool { // which the system shows an instant later
		line, err := os.ReadFile("/proc/" + strconv.Itoa(r.PID()) + "/cmdline")
		if err != nil || len(line) > 0 && !bytes.HasPrefix(line, []byte("sleep\x00300\x00")) {
			t.Errorf("it executes %q: %v", line, err)
		}
		return len(line) > 0
	})
	select {
	case <-r.ready:
	case <-time.After(10 * time.Second):
		t.Error("nobody is told")
	}
	if err := r.ended(); err != nil {
		t.Error(err)
	}
	told := &running{killed: make(chan struct{}), offered: make(chan *process.Handle, 1), ready: make(chan struct{}, 1), log: new(lines)}
	err := process.Command{Path: "/no/such"}.Serve(context.WithValue(t.Context(), child.RuntimeKey{}, told))
	var failed *child.StartError
	if !errors.As(err, &failed) || len(told.ready) > 0 || len(told.offered) > 0 {
		t.Errorf("a start that failed was told of: %v", err)
	}
}
