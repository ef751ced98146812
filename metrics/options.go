package metrics

import "time"

// Options is how a tree is shown. The zero value is good.
type Options struct {
	// Paths is how many places get series of their own: the first that are
	// seen. All others are counted together under the path "*". Optional; zero
	// is twenty thousand.
	Paths int
	// Every is the time between two samples of what processes use. It becomes
	// longer where a sample takes more than a hundredth of it. Optional; zero is
	// ten seconds.
	Every time.Duration
}

func (o Options) withDefaults() Options {
	if o.Paths <= 0 {
		o.Paths = 20_000
	}
	if o.Every <= 0 {
		o.Every = 10 * time.Second
	}
	return o
}
