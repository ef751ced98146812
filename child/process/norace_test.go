//go:build !race

package process_test

import "time"

// limit is how late an exit may be seen.
const limit = 50 * time.Millisecond
