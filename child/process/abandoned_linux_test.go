package process_test

import (
	"strings"
	"testing"

	"github.com/coppice-go/coppice/child/process"
)

func TestAProgramThatLeavesItselfUnfollowedIsToldWhatItNeeds(t *testing.T) {
	for name, tt := range map[string]struct {
		script    string
		leftovers process.Leftovers
		stop      bool
		told      bool
	}{
		"it ends well and leaves another":          {script: "sleep 300 & read x", told: true},
		"it fails and leaves another":              {script: "sleep 300 & read x; exit 3"},
		"it leaves nobody":                         {script: "read x"},
		"it leaves who has ended":                  {script: "true & sleep 0.2; read x"},
		"it leaves another that is asked to end":   {script: "sleep 300 & read x", leftovers: process.StopThem},
		"it leaves another when it is told to end": {script: "trap 'exit 0' TERM; sleep 300 & read x; wait", stop: true},
	} {
		t.Run(name, func(t *testing.T) {
			c := shell(t, "echo on; "+tt.script, new(lines))
			c.Stdin.From, c.Leftovers = process.Piped, tt.leftovers
			var out lines
			c.Stdout.Writer = &out
			r := serving(t, c)
			await(t, &out, "on")
			if tt.stop {
				r.stop()
			} else if _, err := r.Write([]byte("go\n")); err != nil {
				t.Fatal(err)
			}
			_ = r.end()
			if log := r.log.String(); strings.Contains(log, "PIDFile") != tt.told || strings.Contains(log, "(sleep)") && !tt.told {
				t.Errorf("got %s", log)
			}
		})
	}
}
