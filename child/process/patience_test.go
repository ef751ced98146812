//go:build linux

package process_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/supervisor"
)

// A process that has failed and does not obey has the grace of its spec.
func TestAFailedProcessIsKilledWhenTheGraceOfItsSpecIsOver(t *testing.T) {
	for name, tt := range map[string]struct {
		shutdown    time.Duration
		least, most time.Duration
	}{
		"a short one": {300 * time.Millisecond, 300 * time.Millisecond, 4 * time.Second},
		"none":        {child.BrutalKill, 0, 4 * time.Second},
		"a long one":  {7 * time.Second, 6 * time.Second, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			c := shell(t, "trap '' TERM; echo on; while :; do sleep 0.02; done", new(lines))
			c.Idle = 100 * time.Millisecond
			sup, err := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}.Start(t.Context(), supervisor.Spec{
				Name: "root", Children: []child.Specer{child.Spec{Name: "c", Run: c, Restart: child.Temporary, Shutdown: tt.shutdown}},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer stopped(t, sup)
			h, err := supervisor.Get[*process.Handle](t.Context(), sup.Find("root/c"))
			if err != nil {
				t.Fatal(err)
			}
			within(t, time.Minute, "the end", func() { <-h.Done() })
			if took := time.Since(h.Began()); took < tt.least || took > tt.most {
				t.Errorf("it took %v", took)
			}
		})
	}
}
