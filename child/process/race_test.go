//go:build race

package process_test

import "time"

// limit is how late an exit may be seen: with the race detector nobody hurries.
const limit = 5 * time.Second
