package supervisor_test

import "testing"

// What holds while a child waits for its restart, alone and in its group.
func TestWhileAChildWaitsForItsRestart(t *testing.T) {
	playScenes(t, map[string]scene{
		"calls find it restarting, and terminate cancels": {kids: "a delayed; b", text: `
			start       => +a +b up
			next a fails fails fails
			a fails     =>
			after 1s    => +a xa
			== a restarting, b running
			count       => 2 1 0 2
			start a     => already_present
			restart a   => restarting
			delete a    => restarting
			terminate a => ok
			== a down, b running
			after 1h    =>
			next a
			restart a   => +a ok`},
		"rest_for_one: those after it are down, those before it run": {sup: "rest_for_one", kids: "a; b delayed; c", text: `
			start       => +a +b +c up
			next b fails fails fails
			b fails     => -c
			after 1s    => +b xb
			== a running, b restarting, c down
			count       => 3 1 0 3
			start b     => already_present
			restart b   => restarting
			delete b    => restarting
			terminate b => ok
			== a running, b down, c down
			after 1h    =>
			next b
			restart b   => +b ok
			restart c   => +c ok`},
		"of a template: it counts, is not active, and terminate takes its place": {sup: "dynamic", text: `
			start           => up
			start a delayed => +a ok
			next a fails fails fails
			a fails         =>
			after 1s        => +a xa
			== a restarting
			count           => 1 0 0 1
			restart a       => simple_one_for_one
			delete a        => simple_one_for_one
			terminate a     => ok
			== 
			count           => 1 0 0 0
			start b         => +b ok
			count           => 1 1 0 1`},
		"of a template: three that fail slowly, and recover": {sup: "dynamic 20/10s", text: `
			start           => up
			start a delayed => +a ok
			start b delayed => +b ok
			start c delayed => +c ok
			next a fails
			next b fails
			a fails         =>
			after 100ms     =>
			b fails         =>
			count           => 1 1 0 3
			after 1s        => +a xa +b xb
			count           => 1 1 0 3
			after 2s        => +a +b
			count           => 1 3 0 3
			terminate a     => -a ok
			count           => 1 2 0 2`},
		"one_for_all: the retry stops what runs and starts all anew": {sup: "one_for_all", kids: "a; b delayed; c", text: `
			start    => +a +b +c up
			next b fails
			c fails  => -b -a +a +b xb
			== a running, b restarting, c down
			after 1s => -a +a +b +c`},
		"rest_for_one: the retry begins with the one that did not start": {sup: "rest_for_one", kids: "a; b; c delayed; d", text: `
			start    => +a +b +c +d up
			next c fails
			b fails  => -d -c +b +c xc
			== a running, b running, c restarting, d down
			after 1s => +c +d`},
		"one_for_all: when another dies, all are restarted once": {sup: "one_for_all", kids: "a; b delayed; c", text: `
			start    => +a +b +c up
			next b fails
			c fails  => -b -a +a +b xb
			a fails  => +a +b +c
			after 1h =>`},
		"rest_for_one: when an earlier one dies, all are restarted once": {sup: "rest_for_one", kids: "a; b delayed; c", text: `
			start    => +a +b +c up
			next b fails
			b fails  => -c
			after 1s => +b xb
			a fails  => +a +b +c
			after 1h =>`},
		"one_for_all: to terminate it leaves the rest down, and restart starts it alone": {sup: "one_for_all", kids: "a; b delayed; c", text: `
			start       => +a +b +c up
			next b fails
			a fails     => -c -b +a +b xb
			terminate b => ok
			after 1h    =>
			== a running, b down, c down
			restart b   => +b ok
			== a running, b running, c down`},
		"one_for_all: terminate does not exclude a sibling that is down, delete does": {sup: "one_for_all", kids: "a delayed; b; c; d", text: `
			start       => +a +b +c +d up
			a fails     => -d -c -b
			terminate b => ok
			delete c    => ok
			after 1s    => +a +b +d`},
		"one_for_all: a new child starts at once and is then part of the group": {sup: "one_for_all", kids: "a delayed; b", text: `
			start    => +a +b up
			a fails  => -b
			start c  => +c ok
			after 1s => -c +a +b +c`},
		"one_for_all: those who are down start with the group": {sup: "one_for_all", kids: "a; b; c transient; d", text: `
			next d ignore
			start       => +a +b +c +d od up
			terminate b => -b ok
			c ends      =>
			== a running, b down, c down, d down
			a fails     => +a +b +c +d
			== a running, b running, c running, d running`},
		"rest_for_one: but not those before it": {sup: "rest_for_one", kids: "a; b; c", text: `
			start       => +a +b +c up
			terminate a => -a ok
			terminate c => -c ok
			b fails     => +b +c
			== a down, b running, c running`},
		"a call during a failing attempt is answered before the next": {sup: "9/1h", kids: "a", text: `
			start       => +a up
			next a hold fails fails
			a fails     => +a
			terminate a => -a ok
			== a down
			after 1h    =>`},
	})
}
