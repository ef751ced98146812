package supervisor_test

import "testing"

func TestWhoIsRestarted(t *testing.T) {
	playScenes(t, map[string]scene{
		"permanent: always": {kids: "a", text: `
			start     => +a up
			a ends    => +a
			a fails   => +a
			a panics  => +a
			a goexits => +a
			a cancels => +a
			count     => 1 1 0 1`},
		"transient: after a failure": {sup: "9/1h", kids: "a transient", text: `
			start     => +a up
			a fails   => +a
			a panics  => +a
			a goexits => +a
			a cancels => +a
			a ends    =>
			== a down
			count     => 1 0 0 1
			restart a => +a ok
			a ends    =>
			== a down`},
		"temporary: never, and its place goes": {sup: "0/1h", kids: "a temporary; b temporary; c temporary", text: `
			start             => +a +b +c up
			a ends            =>
			b fails           =>
			c panics          =>
			count             => 0 0 0 0
			start a temporary => +a ok
			a goexits         =>
			count             => 0 0 0 0`},
		"one_for_one: the failed child alone": {sup: "2/1h", kids: "a; b", text: `
			start   => +a +b up
			a fails => +a
			b fails => +b
			a fails => -b over:gave_up:a`},
		"one_for_one: a child whose restarts fail ends its supervisor": {sup: "4/1h", kids: "a; b", text: `
			start   => +a +b up
			next b fails fails fails fails fails
			b fails => +b xb +b xb +b xb +b xb -a over:gave_up:b`},
		"one_for_all: all": {sup: "one_for_all 2/1h", kids: "a; b; c", text: `
			start   => +a +b +c up
			b fails => -c -a +a +b +c
			b fails => -c -a +a +b +c
			c fails => -b -a over:gave_up:c`},
		"one_for_all: a sibling whose restarts fail ends its supervisor": {sup: "one_for_all 4/1h", kids: "a; b", text: `
			start   => +a +b up
			next b fails fails fails fails fails
			a fails => -b +a +b xb -a +a +b xb -a +a +b xb -a +a +b xb -a over:gave_up:b`},
		"one_for_all: when a sibling fails to start, the first is stopped and both start again": {sup: "one_for_all 2/1h", kids: "a; b", text: `
			start   => +a +b up
			next a hold hold
			next b hold ready
			a fails => -b +a
			a ready => +b
			b fails => -a +a
			a ready => +b
			== a running, b running`},
		"rest_for_one: the failed child and those after it": {sup: "rest_for_one 2/1h", kids: "a; b; c", text: `
			start   => +a +b +c up
			b fails => -c +b +c
			count   => 3 3 0 3
			b fails => -c +b +c
			a fails => -c -b over:gave_up:a`},
		"rest_for_one: a sibling whose restarts fail ends its supervisor": {sup: "rest_for_one 4/1h", kids: "a; b", text: `
			start   => +a +b up
			next b fails fails fails fails fails
			a fails => -b +a +b xb +b xb +b xb +b xb -a over:gave_up:b`},
		"rest_for_one: when a sibling fails to start, only it is tried again": {sup: "rest_for_one 2/1h", kids: "a; b", text: `
			start   => +a +b up
			next a hold
			next b hold ready
			a fails => -b +a
			a ready => +b
			b fails => +b
			== a running, b running`},
		"the order of the specs is the order of the starts": {sup: "rest_for_one", kids: "e; b; d; a; c", text: `
			start       => +e +b +d +a +c up
			terminate c => -c ok
			terminate a => -a ok
			d fails     => +d +a +c
			stop        => -c -a -d -b -e over`},
		"temporary children beside a group: before it they stay, in it they go": {sup: "rest_for_one 1/1h", kids: "a temporary; b; c temporary; d", text: `
			start   => +a +b +c +d up
			b ends  => -d -c +b +d
			== a running, b running, d running`},
		"temporary children in a group go": {sup: "one_for_all 1/1h", kids: "a; b temporary", text: `
			start  => +a +b up
			a ends => -b +a
			== a running`},
		"a temporary child that fails touches nobody": {sup: "one_for_all 0/1h", kids: "a; b temporary; c", text: `
			start   => +a +b +c up
			b fails =>
			== a running, c running`},
		"a restart every 2.1 s is not too many at one in a second": {sup: "1/1s", kids: "a", text: `
			start       => +a up
			after 2.1s  =>` + repeated(4, `
			a fails     => +a
			after 2.1s  =>`)},
		"the window slides": {sup: "2/1s", kids: "a", text: `
			start       => +a up` + repeated(5, `
			a fails     => +a
			after 600ms =>`)},
		"the window is exact: an age of the period still counts": {sup: "1/1s", kids: "a; b", text: `
			start         => +a +b up
			a fails       => +a
			after 1.001s  =>
			a fails       => +a
			after 1s      =>
			a fails       => -b over:gave_up:a`},
		"a normal end of a permanent child counts": {sup: "1/1h", kids: "a", text: `
			start  => +a up
			a ends => +a
			a ends => over:gave_up:a`},
		"two deaths, two counts: one_for_one": {sup: "1/1h", kids: "a; b; c", text: `
			start   => +a +b +c up
			a fails => +a
			b fails => -c -a over:gave_up:b`},
		"who dies while its group stops is not counted: one_for_all": {sup: "one_for_all 1/1h", kids: "a; b; c cleanup=1s", text: `
			start    => +a +b +c up
			b fails  => -c
			a fails  =>
			after 1s => +a +b +c
			== a running, b running, c running`},
		"who dies while its group stops is not counted: rest_for_one": {sup: "rest_for_one 1/1h", kids: "a; b; c cleanup=1s", text: `
			start    => +a +b +c up
			a fails  => -c
			b fails  =>
			after 1s => +a +b +c`},
		"an earlier one that dies while a group stops is: rest_for_one": {sup: "rest_for_one 1/1h", kids: "a; b; c cleanup=1s", text: `
			start    => +a +b +c up
			b fails  => -c
			a fails  =>
			after 1s => over:gave_up:a`},
		"no restart at all": {sup: "0/1h", kids: "a; b", text: `
			start  => +a +b up
			a ends => -b over:gave_up:a`},
		"three restarts, not four": {sup: "one_for_all 3/1h", kids: "a; b", text: `
			start   => +a +b up` + repeated(3, `
			a fails => -b +a +b`) + `
			a fails => -b over:gave_up:a`},
		"as many attempts as the intensity, then the end": {sup: "3/1h", kids: "a; b", text: `
			start   => +a +b up
			next b fails fails fails fails
			b fails => +b xb +b xb +b xb -a over:gave_up:b`},
		"the last attempt may succeed": {sup: "3/1h", kids: "a; b", text: `
			start   => +a +b up
			next b fails fails ready
			b fails => +b xb +b xb +b
			b fails => -a over:gave_up:b`},
		"a start that panics in a restart counts": {sup: "2/1h", kids: "a; b", text: `
			start   => +a +b up
			next b panics panics panics
			b fails => +b xb +b xb -a over:gave_up:b`},
		"why a start failed means nothing": {kids: "a transient", text: `
			start   => +a up
			next a ends goexits cancels
			a fails => +a xa +a xa +a xa +a`},
		"a restart that wants no run leaves the place down": {kids: "a; b", text: `
			start     => +a +b up
			next a ignore
			a fails   => +a oa
			== a down, b running
			restart a => +a ok`},
		"one that dies while another is being terminated is restarted at once": {kids: "a cleanup=1s; b", text: `
			start       => +a +b up
			terminate a => -a
			b fails     => +b
			after 1s    => terminate:a=ok
			== a down, b running`},
	})
}
