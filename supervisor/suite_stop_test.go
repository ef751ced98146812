package supervisor_test

import (
	"strings"
	"testing"
)

// repeated is a part of a transcript n times.
func repeated(n int, text string) string { return strings.Repeat(text, n) }

func TestHowATreeStops(t *testing.T) {
	playScenes(t, map[string]scene{
		"one after the other in reverse order, each waited for": {kids: "a cleanup=100ms; b cleanup=100ms; c cleanup=100ms", text: `
			start       => +a +b +c up
			stop        => -c
			after 99ms  =>
			after 1ms   => -b
			after 100ms => -a
			after 99ms  =>
			after 1ms   => over`},
		"without a grace that ends every child ends by itself": {sup: "endless", kids: "a infinite cleanup=24h; inner infinite",
			inner: map[string]scene{"inner": {kids: "b infinite cleanup=24h"}}, text: `
			start     => +a +inner/b up
			stop      => -inner/b
			after 24h => -a
			after 24h => over`},
		"one that hangs is killed when its grace is over": {kids: "a grace=1s cleanup=999ms; b grace=1s slow", text: `
			start       => +a +b up
			stop        => -b
			after 999ms =>
			after 1ms   => !b -a
			after 999ms => over`},
		"one that is killed brutally has no time to clean up": {kids: "a grace=1s; b brutal cleanup=1s", text: `
			start => +a +b up
			stop  => -b !b -a over`},
		"a killed goroutine that does not end is left behind by name": {kids: "a; b grace=1s deaf", text: `
			start     => +a +b up
			stop 3s   => -b
			after 1s  =>
			after 3s  => -a over:stuck:b`},
		"the order is that of the start, a restart keeps the place, delete and start take the last": {kids: "a; b; c", text: `
			start       => +a +b +c up
			a fails     => +a
			terminate b => -b ok
			delete b    => ok
			start d     => +d ok
			start b     => +b ok
			== a running, c running, d running, b running
			stop        => -b -d -c -a over`},
		"who dies by itself meanwhile is not restarted, and told of as it ended": {
			sup: "0/1h", kids: `a; b; c; d; e; f transient; g transient; h transient; i transient;
				j temporary; k temporary; l temporary; m temporary; z cleanup=1s`, text: `
			start       => +a +b +c +d +e +f +g +h +i +j +k +l +m +z up
			stop        => -z
			after 200ms =>
			b ends      =>
			c fails     =>
			d panics    =>
			e goexits   =>
			f ends      =>
			g fails     =>
			h panics    =>
			i goexits   =>
			j ends      =>
			k fails     =>
			l panics    =>
			m goexits   =>
			after 800ms => -a over`, log: `
			level=WARN msg="child exited" path=c exit="error: life" next=follows
			level=WARN msg="child exited" path=d exit="panic: life" next=follows
			level=WARN msg="child exited" path=e exit="its goroutine ended (runtime.Goexit)" next=follows
			level=WARN msg="child exited" path=g exit="error: life" next=follows
			level=WARN msg="child exited" path=h exit="panic: life" next=follows
			level=WARN msg="child exited" path=i exit="its goroutine ended (runtime.Goexit)" next=follows
			level=WARN msg="child exited" path=k exit="error: life" next=follows
			level=WARN msg="child exited" path=l exit="panic: life" next=follows
			level=WARN msg="child exited" path=m exit="its goroutine ended (runtime.Goexit)" next=follows`},
		"five seconds for a worker, for ever for a supervisor, unless something else is said": {
			sup: "endless", kids: "a slow; s", inner: map[string]scene{"s": {kids: "b infinite cleanup=1h"}}, text: `
			start      => +a +s/b up
			stop       => -s/b
			after 1h   => -a
			after 4.9s =>
			after 0.1s => !a over`},
		"brutal, orderly and hanging children": {kids: "a grace=1s slow; b; c brutal cleanup=1h", text: `
			start    => +a +b +c up
			stop     => -c !c -b -a
			after 1s => !a over`},
		"a stop ends the wait for a restart": {kids: "a; b delayed", text: `
			start   => +a +b up
			b fails =>
			stop    => -a over
			after 1h =>
			== a down, b down`},
		"a stop is prompt while restarts fail": {kids: "a; b delayed", text: `
			start    => +a +b up
			next b fails fails fails
			b fails  =>
			after 3s => +b xb +b xb
			stop     => -a over
			after 1h =>
			== a down, b down`},
		"a child that does not listen does not hang its supervisor": {kids: "a; b grace=1s deaf; c", text: `
			start       => +a +b +c up
			terminate b => -b
			a fails     => +a
			terminate c => -c ok
			restart c   => +c ok
			after 5s    =>
			== a running, b stuck, c running
			b ends      => terminate:b=ok
			== a running, b down, c running`},
	})
}
