package strategies_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/coppice-go/coppice/strategies"
)

func ExampleStrategy_Span() {
	children := []string{"cache", "reader", "writer", "web"}
	for _, s := range []strategies.Strategy{strategies.OneForOne, strategies.OneForAll, strategies.RestForOne} {
		from, to := s.Span(1, len(children))
		fmt.Println(s, children[from:to])
	}
	// Output:
	// one_for_one [reader]
	// one_for_all [cache reader writer web]
	// rest_for_one [reader writer web]
}

func ExampleIntensity() {
	for _, in := range []strategies.Intensity{
		{},
		{Restarts: 5},
		{Period: time.Hour},
		{Restarts: strategies.Unlimited},
		strategies.OTP(),
	} {
		fmt.Printf("%v means %v\n", in, in.WithDefaults())
	}
	// Output:
	// default means 3/10s each
	// 5 means 5/10s
	// 0/1h0m0s means 0/1h0m0s
	// unlimited means unlimited/10s
	// 1/5s means 1/5s
}

func ExampleIntensity_Validate() {
	fmt.Println(strategies.Intensity{Restarts: -5, Period: -time.Second}.Validate())
	// Output:
	// strategies: Intensity.Restarts: -5: must be 0 or more, or Unlimited (-1)
	// strategies: Intensity.Period: -1s: must not be negative
}

func ExampleWindow() {
	var window strategies.Window
	limit := strategies.Intensity{Restarts: 2, Period: 10 * time.Second}
	for _, now := range []time.Duration{0, 4, 10, 11} {
		now *= time.Second
		allowed := window.Allow(now, limit)
		fmt.Println(now, allowed, window.Count(now, limit))
	}
	// Output:
	// 0s true 1
	// 4s true 2
	// 10s false 2
	// 11s true 2
}

func ExampleBackoff_After() {
	backoff := strategies.Backoff{Max: 5 * time.Second}
	var wait, delay time.Duration
	for _, ran := range []time.Duration{0, 10 * time.Millisecond, 0, 0, time.Minute, 0} {
		wait, delay = backoff.After(delay, ran, 0)
		fmt.Println("ran", ran, "waits", wait)
	}
	// Output:
	// ran 0s waits 1s
	// ran 10ms waits 2s
	// ran 0s waits 4s
	// ran 0s waits 5s
	// ran 1m0s waits 0s
	// ran 0s waits 1s
}

func ExampleParseBackoff() {
	b, err := strategies.ParseBackoff("500ms..30s jitter 0.2")
	fmt.Println(b.Min, b.Max, b.Jitter, err)
	data, err := json.Marshal(b.WithDefaults())
	fmt.Println(string(data), err)
	// Output:
	// 500ms 30s 0.2 <nil>
	// "500ms..30s threshold 1s jitter 0.2" <nil>
}

// A child that dies at once is tried ever more slowly, and the window never
// fills.
func ExampleTimeline() {
	atOnce := func(int) time.Duration { return 0 }
	fmt.Print(strategies.Timeline(strategies.Intensity{}, strategies.Backoff{}, atOnce, 11))
	// Output:
	//   run  started  lived  waits     due  in window
	//     1       0s     0s     1s      1s          1
	//     2       1s     0s     2s      3s          2
	//     3       3s     0s     4s      7s          3
	//     4       7s     0s     8s     15s          2
	//     5      15s     0s    16s     31s          1
	//     6      31s     0s    32s    1m3s          1
	//     7     1m3s     0s   1m4s    2m7s          1
	//     8     2m7s     0s   2m8s   4m15s          1
	//     9    4m15s     0s  4m16s   8m31s          1
	//    10    8m31s     0s   5m0s  13m31s          1
	//    11   13m31s     0s   5m0s  18m31s          1
}

// A child that lives just long enough is not held back, and its supervisor
// gives up.
func ExampleTimeline_givesUp() {
	justAbove := func(int) time.Duration { return 1500 * time.Millisecond }
	fmt.Print(strategies.Timeline(strategies.Intensity{}, strategies.Backoff{}, justAbove, 100))
	// Output:
	//   run  started  lived  waits   due  in window
	//     1       0s   1.5s     0s  1.5s          1
	//     2     1.5s   1.5s     0s    3s          2
	//     3       3s   1.5s     0s  4.5s          3
	//     4     4.5s   1.5s     0s    6s          3  gives up
}
