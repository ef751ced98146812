package machine_test

import "testing"

func TestAutomaticShutdown(t *testing.T) {
	runScripts(t, map[string]script{
		"rule 78: a transient child that ended well": {sup: "any_significant", kids: "a; b transient significant; c", text: `
			start  => +a +b +c up
			b ends => -c -a over:automatic:b`},
		"rule 78: a temporary child that ended well": {sup: "any_significant", kids: "a; b temporary significant", text: `
			start  => +a +b up
			b ends => gone:b -a over:automatic:b`},
		"rule 78: a temporary child that failed": {sup: "any_significant", kids: "a; b temporary significant", text: `
			start   => +a +b up
			b fails => gone:b -a over:automatic:b`},
		"rule 78: a child that wants no other run": {sup: "any_significant", kids: "a; b transient significant", text: `
			start   => +a +b up
			b never => gone:b -a over:automatic:b`},
		"rule 79: not one that is terminated": {sup: "any_significant", kids: "a; b transient significant; c temporary significant", text: `
			start       => +a +b +c up
			terminate b => -b ok
			terminate c => -c ok gone:c
			== a running, b down`},
		"rule 79: not one whose retry is cancelled": {sup: "any_significant", kids: "a; b transient significant delayed", text: `
			start       => +a +b up
			b fails     => b@1s
			terminate b => ok`},
		"rule 79: not one that is started and wants no run": {sup: "any_significant", kids: "a; b transient significant", text: `
			next b ignore
			start   => +a +b ob up
			next b ready ignore
			restart b => +b ok
			b fails => +b ob
			== a running, b down`},
		"rule 79: not one that is not significant": {sup: "any_significant", kids: "a; b transient; c temporary", text: `
			start   => +a +b +c up
			b ends  =>
			c fails => gone:c`},
		"rule 80: any_significant does not wait for another": {
			sup: "any_significant", kids: "a transient significant; b transient significant", text: `
			start  => +a +b up
			a ends => -b over:automatic:a`},
		"rule 80: all_significant waits for the last": {
			sup: "all_significant", kids: "a; b transient significant; c temporary significant; d transient significant", text: `
			start   => +a +b +c +d up
			d ends  =>
			c fails => gone:c
			== a running, b running, d down
			b ends  => -a over:automatic:b`},
		"rule 80: one that waits for a restart is not down": {
			sup: "all_significant", kids: "a transient significant delayed; b transient significant", text: `
			start    => +a +b up
			a fails  => a@1s
			b ends   =>
			after 1s => +a
			a ends   => over:automatic:a`},
		"rule 80: nor is one whose end is still to be judged": {
			sup: "all_significant", kids: "a temporary significant; b transient significant; c", text: `
			next c hold
			start   => +a +b +c
			a ends  =>
			b fails =>
			c ready => up gone:a +b
			== b running, c running`},
		"rule 80: those terminated or without a run do not block": {
			sup: "all_significant", kids: "a transient significant; b transient significant; c transient significant; d", text: `
			next b ignore
			start       => +a +b ob +c +d up
			terminate a => -a ok
			c ends      => -d over:automatic:c`},
		"rule 80: nor does one that is just being terminated": {
			sup: "all_significant", kids: "a transient significant slow; b transient significant", text: `
			start       => +a +b up
			terminate a => -a
			b ends      =>
			after 5s    => !a terminate:a=ok over:automatic:b`},
		"rule 81: after the last was terminated it stays up": {sup: "all_significant", kids: "a transient significant delayed; b transient significant; c", text: `
			start       => +a +b +c up
			a fails     => a@1s
			b ends      =>
			terminate a => ok
			c fails     => +c
			after 1h    =>
			== a down, b down, c running`},
		"rule 82: the others stop in reverse": {sup: "any_significant", kids: "a slow; b temporary significant; c slow", text: `
			start    => +a +b +c up
			b ends   => gone:b -c
			after 5s => !c -a
			after 5s => !a over:automatic:b`},
		"rule 83: a supervisor that shut itself down is a clean end": {
			sup: "any_significant", kids: "a; b supervisor transient significant", text: `
			start       => +a +b up
			b shut_down => -a over:automatic:b`},
		"rule 83: but a permanent one is started again": {sup: "any_significant 1/1h", kids: "a supervisor", text: `
			start       => +a up
			a shut_down => +a
			a shut_down => quit:a over:gave_up:a`},
		"rule 84: a transient child that failed is restarted first": {sup: "any_significant", kids: "a; b transient significant", text: `
			start   => +a +b up
			b fails => +b
			b ends  => -a over:automatic:b`},
	})
}
