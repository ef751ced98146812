package isolated

// image is the program that runs, and never the one at a path: that may be
// another by now.
func image() string { return "/proc/self/exe" }

// build is what a copy is compared by where it is started by path. Here it
// cannot be another program.
func build() string { return "" }

// canLimit says whether memory can be limited.
const canLimit = true
