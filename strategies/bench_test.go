package strategies_test

import (
	"testing"
	"time"

	"github.com/coppice-go/coppice/strategies"
)

// BenchmarkWindow takes one attempt at a time: by a child that fails now and
// then, by one that fails as fast as it is allowed to, in windows small and
// large, and by those that are not counted.
func BenchmarkWindow(b *testing.B) {
	for _, c := range []struct {
		name  string
		limit strategies.Intensity
		step  time.Duration
	}{
		{"Celery, seldom", strategies.Celery(), 11 * time.Second},
		{"Celery, refused", strategies.Celery(), 0},
		{"100 at the limit", within(100, 100), 1},
		{"100000 at the limit", within(100_000, 100_000), 1},
		{"100000 refused", within(100_000, 100_000), 0},
		{"unlimited", within(strategies.Unlimited, time.Second), 1},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var w strategies.Window
			var now time.Duration
			for range 200_000 {
				now += c.step
				w.Allow(now, c.limit)
			}
			for b.Loop() {
				now += c.step
				w.Allow(now, c.limit)
			}
		})
	}
}

// BenchmarkBackoff takes one exit at a time: of a run that was too short,
// without and with jitter, and of a long one.
func BenchmarkBackoff(b *testing.B) {
	for _, c := range []struct {
		name    string
		backoff strategies.Backoff
		ran     time.Duration
	}{
		{"short", strategies.Twisted(), 0},
		{"short, jitter", strategies.Backoff{Jitter: 0.2}.WithDefaults(), 0},
		{"short, zero value", strategies.Backoff{}, 0},
		{"long", strategies.Twisted(), time.Minute},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var delay time.Duration
			for b.Loop() {
				_, delay = c.backoff.After(delay, c.ran, 0.5)
			}
		})
	}
}
