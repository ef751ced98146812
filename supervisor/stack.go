package supervisor

import (
	"bytes"
	"fmt"
	"runtime/pprof"
	"strings"
)

// stackOf is the stack of the goroutines whose pprof label is path: a run and
// what it started. It takes the program's whole goroutine profile, so it is
// for what does not end, not for what happens often.
func stackOf(path string) string {
	var profile bytes.Buffer
	if pprof.Lookup("goroutine").WriteTo(&profile, 1) != nil {
		return ""
	}
	want := fmt.Sprintf("%q:%q", label, path)
	var found []string
	for _, stack := range strings.Split(profile.String(), "\n\n") {
		if strings.Contains(stack, want) {
			found = append(found, strings.TrimSpace(stack))
		}
	}
	return strings.Join(found, "\n\n")
}
