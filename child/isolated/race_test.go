//go:build race

package isolated_test

// raceEnabled says that the race detector watches.
const raceEnabled = true
