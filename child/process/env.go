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
func (c *Command) environ(further ...string) []string {
	own := lastOfEach(slices.Concat(c.Env, further))
	if c.CleanEnv {
		return own
	}
	all := os.Environ() // a copy, in which each key is once
	inherited := all[:0]
	for _, entry := range all {
		key, _, _ := strings.Cut(entry, "=")
		if !slices.Contains(alone, key) && !hasKey(own, key) {
			inherited = append(inherited, entry)
		}
	}
	return append(inherited, own...)
}

func lastOfEach(entries []string) []string {
	if len(entries) < 2 {
		return entries
	}
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

func hasKey(env []string, key string) bool {
	_, ok := lookupEnv(env, key)
	return ok
}
