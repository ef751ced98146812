package machine_test

import "testing"

func TestTheStartOfAll(t *testing.T) {
	runScripts(t, map[string]script{
		"rule 20: children start in order, each complete before the next": {kids: "a; b; c", text: `
			next a hold
			next b hold
			start   => +a
			== a starting, b down, c down
			a ready => +b
			== a running, b starting, c down
			b ready => +c up
			== a running, b running, c running`},
		"rule 20: a start that takes no time does not hold up the next": {kids: "a plain; b plain", text: `
			start => +a +b up`},
		"a supervisor without children is up at once": {text: `
			start => up
			stop  => over:asked`},
		"rule 23: the first that fails is fatal, and those before it are stopped in reverse": {
			sup: "0/1s", kids: "a; b; c; d", text: `
			next c fails
			start => +a +b +c xc -b -a over:init_failed:c`},
		"rule 23: those before it are stopped in their own manner": {kids: "a slow; b brutal slow; c", text: `
			next c fails
			start    => +a +b +c xc -b !b -a
			after 5s => !a over:init_failed:c`},
		"rule 24: who wants no run keeps its place, unless it is temporary": {
			kids: "a temporary; b transient; c; d", text: `
			next a ignore
			next b ignore
			next c ignore
			start => +a oa gone:a +b ob +c oc +d up
			== b down, c down, d running
			restart b => +b ok`},
		"rule 28: a child that dies while others start is restarted when all have started": {kids: "a; b", text: `
			next b hold
			start   => +a +b
			a fails =>
			== a dead, b starting
			b ready => up +a
			== a running, b running`},
		"rule 28: so is one that was killed because it hung": {sup: "one_for_all", kids: "a; b; c", text: `
			next b hold
			start   => +a +b
			a hangs => -a
			== a dead, b starting, c down
			b ready => +c up -c -b +a +b +c
			== a running, b running, c running`},
		"rules 28 and 54: of two that died so, the first takes the other along": {sup: "one_for_all 1/1h", kids: "a; b; c", text: `
			next c hold
			start   => +a +b +c
			b fails =>
			a fails =>
			c ready => up -c +a +b +c`},
		"a child that dies while others start and is not restarted is judged afterwards": {
			sup: "any_significant", kids: "a temporary significant; b", text: `
			next b hold
			start   => +a +b
			a ends  =>
			b ready => up gone:a -b over:automatic:a`},
		"a start that fails for now is tried again until its patience is over": {sup: "0/1s", kids: "a delayed; b", text: `
			next a lacks lacks ready
			start    => +a xa a@1s
			== a restarting, b down
			after 1s => +a xa a@2s
			after 2s => +a +b up`},
		"a start that fails for now without a delay is tried at once": {sup: "0/1s", kids: "a", text: `
			next a lacks lacks ready
			start => +a xa +a xa +a up`},
		"a start that keeps failing for now has failed when its patience is over": {kids: "a delayed; b", text: `
			next a lacks lacks lacks lacks lacks lacks
			start    => +a xa a@1s
			after 1m => +a xa a@2s +a xa a@4s +a xa a@8s +a xa a@16s +a xa over:init_failed:a`},
		"a child that is not ready in time has failed": {kids: "a; b", text: `
			next b hold
			start     => +a +b
			after 29s =>
			after 1s  => -b -a over:init_failed:b`},
		"one that cannot even be stopped then has failed all the same": {kids: "a; b deaf; c", text: `
			next b hold
			start     => +a +b
			after 30s => -b
			after 5s  => !b
			after 1s  => stuck:b -a blocked
			b ends    => over:init_failed:b`},
		"beside a run of an earlier life nobody starts": {kids: "a; b plain leftover", text: `
			start   => +a +b
			== a running, b starting
			b fails => -a over:init_failed:b`},
		"an endless patience waits": {kids: "a patient", text: `
			next a hold
			start       => +a
			after 1000h =>
			a ready     => up`},
		"a stop interrupts the start": {kids: "a; b; c", text: `
			next b hold
			start => +a +b
			stop  => -b -a over:asked`},
		"a stop interrupts the wait of a start that failed for now": {kids: "a; b delayed", text: `
			next b lacks
			start => +a +b xb b@1s
			stop  => -a over:asked`},
		"the end of the tree can be asked for during the start": {kids: "a; b", text: `
			next b end_tree
			start => +a +b xb -a over:terminated:b`},
		"a stop before the start is all": {kids: "a", text: `
			stop    => over:asked
			bounce a => stopped`},
	})
}
