package childtest

import (
	"bytes"
	"cmp"
	"fmt"
	"path"
	"runtime/pprof"
	"strings"
	"time"
)

// looks is how often the suite looks whether the goroutines of a run have gone:
// they may be about to end when Serve returns.
const looks = 20

// leftovers says which goroutines of r are left some time after its end.
func (s *suite) leftovers(r *run) (left string) {
	for range looks {
		if left = stacks(r.number); left == "" {
			return ""
		}
		time.Sleep(s.options.Watch / looks)
	}
	return stacks(r.number)
}

// stacks says where the goroutines of the run with that number are, or nothing
// if there are none. It is taken from the profile of the whole program, as no
// other list of goroutines has their labels.
func stacks(number string) string {
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return ""
	}
	want := fmt.Sprintf("%q:%q", label, number)
	var places []string
	for record := range strings.SplitSeq(profile.String(), "\n\n") {
		if strings.Contains(record, want) {
			places = append(places, place(record))
		}
	}
	return strings.Join(places, ", ")
}

// place is the innermost call in a record that is not Go's own, or the first. A
// goroutine that has not run yet has none, and is one all the same. A call is a line of # and, with tabs between them, an address, a function with
// an offset, and a file with a line.
func place(record string) string {
	first := ""
	for line := range strings.Lines(record) {
		fields := strings.Fields(line)
		if len(fields) != 4 || fields[0] != "#" || !strings.HasPrefix(fields[1], "0x") {
			continue
		}
		function := fields[2]
		if i := strings.LastIndexByte(function, '+'); i > 0 {
			function = function[:i]
		}
		call := function + " (" + path.Base(fields[3]) + ")"
		if !standard(function) {
			return call
		}
		if first == "" {
			first = call
		}
	}
	return cmp.Or(first, "its beginning")
}

// standard reports whether function is one of those in which a goroutine waits.
func standard(function string) bool {
	pkg, _, _ := strings.Cut(function, ".")
	switch pkg {
	case "runtime", "sync", "time", "context", "syscall", "os", "io", "net":
		return true
	}
	return strings.HasPrefix(function, "internal/")
}
