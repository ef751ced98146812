package process

import (
	"os"
	"slices"
	"strings"
)

// alone are the variables that concern our own program and are never
// inherited: whoever started it talks to it alone.
var alone = []string{
	"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID", "MAINPID",
}

// environ is the environment that c stands for, with further entries that the
// command knows nothing of. Of entries with one key the last is left: programs
// do not agree on which of several counts.
func (c Command) environ(further ...string) []string {
	var all []string
	if !c.CleanEnv {
		for _, entry := range os.Environ() {
			if key, _, _ := strings.Cut(entry, "="); !slices.Contains(alone, key) {
				all = append(all, entry)
			}
		}
	}
	return lastOfEach(slices.Concat(all, c.Env, further))
}

func lastOfEach(entries []string) []string {
	seen := make(map[string]bool, len(entries))
	kept := make([]string, 0, len(entries))
	for _, entry := range slices.Backward(entries) {
		key, _, _ := strings.Cut(entry, "=")
		if !seen[key] {
			seen[key] = true
			kept = append(kept, entry)
		}
	}
	slices.Reverse(kept)
	return kept
}

// lookupEnv is the value of key in env, and whether it is there.
func lookupEnv(env []string, key string) (string, bool) {
	for _, entry := range env {
		if value, ok := strings.CutPrefix(entry, key+"="); ok {
			return value, true
		}
	}
	return "", false
}
