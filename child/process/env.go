package process

import (
	"os"
	"slices"
	"strings"
)

// environ is the environment that env stands for. Of entries with one key the
// last is left: programs do not agree on which of several counts.
func environ(env []string) []string {
	if env == nil {
		return os.Environ()
	}
	seen := make(map[string]bool, len(env))
	var kept []string
	for _, entry := range slices.Backward(env) {
		key, _, _ := strings.Cut(entry, "=")
		if !seen[key] {
			seen[key] = true
			kept = append(kept, entry)
		}
	}
	slices.Reverse(kept)
	return kept
}
