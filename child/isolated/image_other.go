//go:build !linux

package isolated

import (
	"os"
	"sync"
)

// canLimit says whether memory can be limited.
const canLimit = false

// image is the file that the program was started from. It may be another
// program by now, which build tells.
func image() string {
	file, _ := os.Executable() // without, no program is found
	return file
}

// build is the build id of the program, read when it is first asked for, which
// is before the first copy is made, and in a copy by its hook. A parent and a
// copy without one are taken for equal.
var build = sync.OnceValue(func() string { return buildID(image()) })
