package machine_test

import "testing"

func TestRestartsThatFail(t *testing.T) {
	runScripts(t, map[string]script{
		"rule 65: a failed restart is not fatal and is tried again": {kids: "a; b", text: `
			start   => +a +b up
			next a fails
			a fails => +a xa +a`},
		"rule 65: the retry queues behind what waits already": {sup: "1/1h", kids: "a; b", text: `
			start       => +a +b up
			next a hold
			a fails     => +a
			restart a   =>
			terminate b => -b ok
			a fails     => restart:a=restarting quit:a over:gave_up:a`},
		"rule 68: why the start failed means nothing": {kids: "a transient", text: `
			start   => +a up
			next a ends gave_up
			a fails => +a xa +a xa +a`},
		"rule 69: calls about a child that waits": {kids: "a delayed; b", text: `
			start       => +a +b up
			a fails     => a@1s
			== a restarting, b running
			start a     => already_present
			restart a   => restarting
			delete a    => restarting
			terminate a => ok
			== a down, b running
			after 1h    =>
			delete a    => gone:a ok`},
		"rule 69: a child of a template that waits goes when it is terminated": {sup: "dynamic", text: `
			start           => up
			start a delayed => +a ok
			a fails         => a@1s
			terminate a     => gone:a ok
			terminate a     => not_found
			after 1h        =>`},
		"rule 70: a retry is void unless the child still waits": {sup: "rest_for_one 2/1h", kids: "a; b delayed; c slow; d", text: `
			start       => +a +b +c +d up
			b fails     => b@1s -d -c
			after 5s    => !c +b +c +d
			== a running, b running, c running, d running
			b fails     => b@2s -d -c
			terminate b =>
			after 5s    => !c terminate:b=ok
			== a running, b down, c down, d down
			after 1h    =>`},
		"rule 70: nor does it count": {sup: "rest_for_one 2/1h", kids: "a slow; b delayed; c", text: `
			start       => +a +b +c up
			b fails     => b@1s -c
			a fails     => +a +b +c
			after 59m   =>
			a fails     => -c -b +a +b +c
			a fails     => quit:a -c -b over:gave_up:a`},
		"rule 71: in one_for_all those before it keep running, those after it stay down": {
			sup: "one_for_all", kids: "a; b delayed; c; d", text: `
			start    => +a +b +c +d up
			next b fails
			d fails  => -c -b -a +a +b xb b@1s
			== a running, b restarting, c down, d down
			after 1s => -a +a +b +c +d`},
		"rule 71: without a delay the retry follows at once": {sup: "one_for_all", kids: "a; b; c", text: `
			start   => +a +b +c up
			next b fails
			a fails => -c -b +a +b xb -a +a +b +c`},
		"rule 71: the child that began it is one of those after": {sup: "one_for_all", kids: "a delayed; b; c", text: `
			start       => +a +b +c up
			next a fails
			c fails     => -b -a +a xa a@1s
			== a restarting, b down, c down
			terminate a => ok
			restart c   => +c ok`},
		"rule 72: in rest_for_one the retry begins with the one that did not start": {
			sup: "rest_for_one", kids: "a; b; c delayed; d", text: `
			start    => +a +b +c +d up
			next c fails
			b fails  => -d -c +b +c xc c@1s
			== a running, b running, c restarting, d down
			after 1s => +c +d`},
		"rule 73: when another child fails the group is restarted once": {
			sup: "one_for_all", kids: "a; b delayed; c", text: `
			start    => +a +b +c up
			next b fails
			c fails  => -b -a +a +b xb b@1s
			a fails  => +a +b +c
			after 1h =>
			== a running, b running, c running`},
		"rule 73: unless it is behind in a rest_for_one": {sup: "rest_for_one", kids: "a; b delayed; c", text: `
			start       => +a +b +c up
			b fails     => b@1s -c
			restart c   => +c ok
			c fails     => +c
			== a running, b restarting, c running
			after 1s    => -c +b +c`},
		"rule 74: to terminate it cancels the retry for all": {sup: "one_for_all", kids: "a; b delayed; c", text: `
			start       => +a +b +c up
			next b fails
			a fails     => -c -b +a +b xb b@1s
			terminate b => ok
			after 1h    =>
			== a running, b down, c down
			restart b   => +b ok
			== a running, b running, c down
			a fails     => -b +a +b +c`},
		"rule 74: to terminate another does not exclude it, to delete it does": {
			sup: "one_for_all", kids: "a delayed; b; c; d", text: `
			start       => +a +b +c +d up
			a fails     => a@1s -d -c -b
			terminate b => ok
			delete c    => gone:c ok
			after 1s    => +a +b +d`},
		"rule 75: a new child starts at once and is part of the retry": {sup: "one_for_all", kids: "a delayed; b", text: `
			start    => +a +b up
			a fails  => a@1s -b
			start c  => +c ok
			== a restarting, b down, c running
			after 1s => -c +a +b +c`},
		"rule 76: a restart that wants no run leaves it down": {
			sup: "one_for_all all_significant", kids: "a; b transient significant; c", text: `
			start     => +a +b +c up
			next b ignore
			a fails   => -c -b +a +b ob +c
			== a running, b down, c running
			restart b => +b ok`},
		"rule 76: of a template its place goes": {sup: "dynamic", text: `
			start   => up
			start a => +a ok
			next a ignore
			a fails => +a oa gone:a`},
		"rule 88, then 71: a call's failed start is forgotten when the group starts it": {
			sup: "one_for_all", kids: "a; b delayed", text: `
			start       => +a +b up
			terminate b => -b ok
			next b fails fails
			restart b   => +b xb start_failed
			a fails     => +a +b xb b@1s
			after 1s    => -a +a +b`},
		"a restart that is not ready in time has failed": {kids: "a delayed; b", text: `
			start     => +a +b up
			next a hold
			a fails   => a@1s
			after 31s => +a -a a@2s
			after 2s  => +a`},
		"one that hangs before it is ready has failed to start": {sup: "0/1h", kids: "a; b", text: `
			start     => +a +b up
			terminate a => -a ok
			next a hold
			restart a => +a
			a hangs   => -a restart:a=start_failed
			== a down, b running`},
	})
}

func TestDelays(t *testing.T) {
	runScripts(t, map[string]script{
		"a short run waits, and the wait doubles": {kids: "a delayed; b", text: `
			start       => +a +b up
			a fails     => a@1s
			after 999ms =>
			after 1ms   => +a
			a fails     => a@2s
			after 2s    => +a
			after 999ms =>
			a fails     => a@4s`},
		"a long run restarts at once and resets the wait": {kids: "a delayed", text: `
			start    => +a up
			a fails  => a@1s
			after 2s => +a
			a fails  => +a
			a fails  => a@1s`},
		"a run counts from when it was ready": {kids: "a delayed", text: `
			next a hold
			start     => +a
			after 10s =>
			a ready   => up
			a fails   => a@1s`},
		"and until it ended, whatever else was going on": {kids: "a delayed; b", text: `
			next b hold
			start     => +a +b
			a fails   =>
			after 10s =>
			b ready   => up a@1s`},
		"or until it was found to hang": {kids: "a delayed slow; b delayed slow", text: `
			start     => +a +b up
			a hangs   => -a
			after 5s  => !a a@1s
			b hangs   => -b
			after 5s  => +a !b +b`},
		"jitter adds its share of chance": {kids: "a jittered", text: `
			start    => +a up
			dice 0.5 =>
			a fails  => a@1.25s
			dice 0   =>
			after 2s => +a
			a fails  => a@2s`},
		"a supervisor that gave up has had a short run": {kids: "a supervisor delayed", text: `
			start     => +a up
			after 1h  =>
			a gave_up => a@1s`},
		"difference 7: a group stops at once and waits down": {sup: "one_for_all", kids: "a; b delayed; c", text: `
			start    => +a +b +c up
			b fails  => b@1s -c -a
			== a down, b restarting, c down
			after 1s => +a +b +c`},
		"difference 7: the delay runs while the group stops": {sup: "one_for_all", kids: "a; b delayed; c slow", text: `
			start    => +a +b +c up
			b fails  => b@1s -c
			after 4s =>
			after 1s => !c -a +a +b +c`},
		"difference 7: a bounce ends the delay, and for the group too": {sup: "rest_for_one 0/1h", kids: "a; b delayed; c", text: `
			start    => +a +b +c up
			b fails  => b@1s -c
			bounce b => +b ok +c`},
		"a bounce ends the delay and resets it": {sup: "0/1h", kids: "a delayed", text: `
			start    => +a up
			a fails  => a@1s
			bounce a => +a ok
			a fails  => a@1s
			bounce a => +a ok`},
		"difference 7: a call that starts all ends the delay": {sup: "0/1h", kids: "a delayed; b", text: `
			start       => +a +b up
			a fails     => a@1s
			restart_all => -b +a +b ok
			after 1h    =>`},
		"difference 7: a deliberate stop is no failure": {sup: "0/1h", kids: "a delayed; b", text: `
			start       => +a +b up
			terminate a => -a ok
			restart a   => +a ok
			bounce a    => -a +a ok`},
		"difference 6: while one waits the others live": {kids: "a delayed; b slow; c; d", text: `
			start       => +a +b +c +d up
			a fails     => a@1s
			bounce b    => -b
			next d hold
			d fails     => +d
			c fails     => +c
			terminate c => -c ok
			after 1s    => +a
			after 4s    => !b +b bounce:b=ok
			d ready     =>`},
	})
}
