package supervisor_test

import "testing"

func TestHowATreeStarts(t *testing.T) {
	playScenes(t, map[string]scene{
		"an empty supervisor starts, and ends with its context": {text: `
			start  => up
			cancel => over`},
		"children start in order, each complete before the next": {kids: "a; inner; b", inner: map[string]scene{"inner": {kids: "c; d"}}, text: `
			next a hold
			next inner/d hold
			start         => +a
			a ready       => +inner/c +inner/d
			inner/d ready => +b up
			== a running, inner running, inner/c running, inner/d running, b running`},
		"a start that fails is fatal, and those before it stop in reverse": {sup: "9/1h", kids: "a; b; c; d", text: `
			next c fails
			start => +a +b +c xc -b -a over:init_failed:c`},
		"so is one that panics": {kids: "a; b", text: `
			next b panics
			start => +a +b xb -a over:init_failed:b`},
		"so is one that ends its goroutine": {kids: "a; b", text: `
			next b goexits
			start => +a +b xb -a over:init_failed:b`},
		"those before it stop in their own manner": {kids: "a grace=2s slow; b infinite cleanup=20s; c", text: `
			next c fails
			start     => +a +b +c xc -b
			after 20s => -a
			after 2s  => !a over:init_failed:c`},
		"the end of the context interrupts the start": {kids: "a; b; c", text: `
			next b hold
			start  => +a +b
			cancel => -b -a supervisor: start root: context canceled`},
		"a start that wants no run keeps its place, unless it is temporary": {kids: "a temporary; b temporary; c transient; d", text: `
			next a ignore
			next c ignore
			next d ignore
			start => +a oa +b +c oc +d od up
			== b running, c down, d down
			count => 3 1 0 3`},
		"a child that dies while others start is restarted afterwards": {sup: "1/1h", kids: "a; b", text: `
			next b hold
			start    => +a +b
			a fails  =>
			after 9s =>
			b ready  =~ +a up
			== a running, b running
			a fails  => -b over:gave_up:a`},
		"what of the end of one that died so is not a restart is judged afterwards too": {kids: "a temporary; b", text: `
			next b hold
			start   => +a +b
			a fails =>
			b ready => up
			== b running`},
	})
}

func TestHowACallStartsAChild(t *testing.T) {
	playScenes(t, map[string]scene{
		"one that wants no run is kept, unless it is temporary": {text: `
			start             => up
			next a ignore
			start a           => +a oa ok
			start b           => +b ok
			== a down, b running
			count             => 2 1 0 2
			next c ignore
			start c temporary => +c oc ok
			start d temporary => +d ok
			== a down, b running, d running
			count             => 3 2 0 3`},
		"nothing is kept of one that fails": {sup: "one_for_all 0/1h", kids: "a", text: `
			start         => +a up
			next b fails panics goexits lacks
			start b       => +b xb start_failed
			start b       => +b xb start_failed
			start b       => +b xb start_failed
			start b       => +b xb start_failed
			== a running
			count         => 1 1 0 1`},
		"one that was terminated and fails to start again stays down": {sup: "one_for_all 0/1h", kids: "a; b", text: `
			start       => +a +b up
			terminate a => -a ok
			next a panics fails
			restart a   => +a xa start_failed
			restart a   => +a xa start_failed
			== a down, b running
			restart a   => +a ok`},
		"five failures and twenty successes are not counted": {sup: "0/1h", kids: "a", text: `
			start       => +a up
			terminate a => -a ok
			next a fails fails fails fails fails
			restart a   => +a xa start_failed
			restart a   => +a xa start_failed
			restart a   => +a xa start_failed
			restart a   => +a xa start_failed
			restart a   => +a xa start_failed
			` + repeated(20, `
			restart a   => +a ok
			terminate a => -a ok`) + `
			restart a   => +a ok
			== a running`},
	})
}
