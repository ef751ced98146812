package machine_test

import "testing"

func TestTheStop(t *testing.T) {
	runScripts(t, map[string]script{
		"rule 31: children stop one at a time, the last first, each waited for": {kids: "a slow; b slow; c slow", text: `
			start    => +a +b +c up
			stop     => -c
			== a running, b running, c stopping
			after 5s => !c -b
			after 5s => !b -a
			after 5s => !a over:asked`},
		"rule 32: the children of a template stop together, each with the same time": {sup: "dynamic", text: `
			start        => up
			start a slow => +a ok
			start b      => +b ok
			start c slow => +c ok
			stop         => -c -b -a
			== a stopping, b down, c stopping
			after 4s     =>
			after 1s     => !c !a over:asked`},
		"so do children that are to stop together": {sup: "together one_for_all", kids: "a slow; b; c slow", text: `
			start    => +a +b +c up
			stop     => -c -b -a
			after 5s => !c !a over:asked`},
		"rule 33: a child is killed when its grace is over, and then waited for": {kids: "a; b deaf", text: `
			start      => +a +b up
			stop       => -b
			after 4s   =>
			after 1s   => !b
			after 1s   => stuck:b -a blocked
			after 100s =>
			b ends     => over:asked`},
		"rule 33: an endless grace has no end": {kids: "a slow infinite", text: `
			start       => +a up
			stop        => -a
			after 1000h =>
			a ends      => over:asked`},
		"rule 33: a brutal kill gives no time": {kids: "a brutal slow", text: `
			start => +a up
			stop  => -a !a over:asked`},
		"rule 33: a grace of nothing is over at once": {kids: "a graceless slow", text: `
			start    => +a up
			stop     => -a
			after 0s => !a over:asked`},
		"rule 34: a restart keeps the place in the order, a delete and a start do not": {kids: "a; b; c", text: `
			start       => +a +b +c up
			a fails     => +a
			terminate b => -b ok
			delete b    => gone:b ok
			start d     => +d ok
			start b     => +b ok
			== a running, c running, d running, b running
			stop        => -b -d -c -a over:asked`},
		"rule 35: who is down or waits is skipped, and does not come back": {kids: "a; b delayed; c", text: `
			start       => +a +b +c up
			terminate a => -a ok
			b fails     => b@1s
			stop        => -c over:asked`},
		"rule 36: who dies by itself during the stop is not restarted": {sup: "0/1s", kids: "a; b slow; c slow", text: `
			start    => +a +b +c up
			stop     => -c
			a fails  =>
			b fails  =>
			c ends   => over:asked`},
		"rule 36: nor is it significant": {sup: "any_significant", kids: "a temporary significant; b slow", text: `
			start  => +a +b up
			stop   => -b
			a ends =>
			b ends => over:asked`},
		"a stop during the stop changes nothing": {kids: "a slow", text: `
			start    => +a up
			stop     => -a
			after 3s =>
			stop     =>
			after 2s => !a over:asked`},
		"a stop takes the place of a group's restart": {sup: "one_for_all", kids: "a; b slow", text: `
			start    => +a +b up
			a fails  => -b
			stop     =>
			after 5s => !b over:asked`},
		"a stop of one that is being terminated answers both": {kids: "a slow", text: `
			start       => +a up
			terminate a => -a
			bounce a    =>
			stop        => bounce:a=stopped
			after 5s    => !a terminate:a=ok over:asked`},
		"a call after the end is told so": {kids: "a", text: `
			start       => +a up
			stop        => -a over:asked
			terminate a => stopped
			start b     => stopped
			restart_all => stopped`},
		"a call during the stop is told so": {kids: "a slow", text: `
			start       => +a up
			stop        => -a
			terminate a => stopped`},
	})
}

func TestTheKill(t *testing.T) {
	runScripts(t, map[string]script{
		"what is left is killed in one step": {kids: "a slow; b infinite slow; c slow", text: `
			start    => +a +b +c up
			stop     => -c
			after 3s =>
			kill     => -a !a -b !b !c over:asked`},
		"whoever was killed already is not killed again": {kids: "a; b deaf", text: `
			start    => +a +b up
			stop     => -b
			after 5s => !b
			kill     => -a !a
			after 1s => stuck:b blocked
			kill     =>
			leave    => ~b over:asked`},
		"a kill needs no stop before it": {kids: "a; b delayed; c", text: `
			start   => +a +b +c up
			b fails => b@1s
			kill    => -a !a -c !c over:asked`},
		"a kill ends a start": {kids: "a; b; c", text: `
			next b hold
			start => +a +b
			kill  => -a !a -b !b over:asked`},
		"a kill ends a group's restart": {sup: "one_for_all", kids: "a deaf; b deaf; c", text: `
			start    => +a +b +c up
			c fails  => -b
			kill     => -a !a !b
			after 1s => stuck:a stuck:b blocked
			leave    => ~a ~b over:asked`},
		"only who is stuck is left behind in the end": {kids: "a deaf; b deaf abandon; c deaf escalate", text: `
			start    => +a +b +c up
			kill     => -a !a -b !b -c !c
			after 1s => stuck:a stuck:c stuck:b ~b ~c blocked
			== a stuck, b down, c down
			a ends   => over:asked`},
		"nobody leaves before the stop": {kids: "a", text: `
			start => +a up
			leave =>
			== a running`},
	})
}

// What follows when a run that was killed does not end.
func TestWhoIsStuck(t *testing.T) {
	runScripts(t, map[string]script{
		"wait: no successor while it lives, and the others go on": {kids: "a deaf; b", text: `
			start       => +a +b up
			bounce a    => -a
			after 5s    => !a
			after 499ms =>
			after 1ms   => stuck:a
			== a stuck, b running
			b fails     => +b
			restart a   => running
			delete a    => running
			a fails     => +a bounce:a=ok`},
		"wait: who terminates it waits too": {kids: "a deaf", text: `
			start       => +a up
			a hangs     => -a
			after 6s    => !a stuck:a
			terminate a =>
			bounce a    =>
			a ends      => terminate:a=ok +a bounce:a=ok`},
		"wait: its group waits, and nobody else": {sup: "rest_for_one", kids: "a; b; c deaf", text: `
			start       => +a +b +c up
			b fails     => -c
			after 6s    => !c stuck:c
			a hangs     => -a
			== a restarting, b restarting, c stuck
			terminate b =>
			c ends      => +a +b +c -b terminate:b=ok`},
		"wait: a start that is not ready in time holds up its group": {sup: "one_for_all", kids: "a; b deaf; c", text: `
			start     => +a +b +c up
			next b hold
			a fails   => -c -b
			after 6s  => !b stuck:b
			b ends    => +a +b
			after 36s => -b !b stuck:b
			== a running, b stuck, c down
			b ends    => -a +a +b +c`},
		"escalate: the supervisor gives up": {kids: "a; b deaf escalate; c", text: `
			start    => +a +b +c up
			bounce b => -b
			after 6s => !b stuck:b quit:b -c -a ~b bounce:b=stopped over:gave_up:b`},
		"abandon: a successor starts beside it": {kids: "a deaf abandon", text: `
			start    => +a up
			bounce a => -a
			after 6s => !a stuck:a ~a +a bounce:a=ok
			a hangs  => -a
			after 6s => !a stuck:a ~a +a`},
		"abandon: so a call that terminates it is done": {kids: "a deaf abandon", text: `
			start       => +a up
			terminate a => -a
			after 6s    => !a stuck:a ~a terminate:a=ok
			== a down`},
		"abandon: and its group goes on": {sup: "one_for_all", kids: "a; b deaf abandon; c temporary deaf abandon", text: `
			start      => +a +b +c up
			a fails    => -c
			after 5.5s => !c stuck:c ~c gone:c -b
			after 5.5s => !b stuck:b ~b +a +b`},
		"abandon: at the start it has failed": {kids: "a; b deaf abandon", text: `
			next b hold
			start     => +a +b
			after 36s => -b !b stuck:b ~b -a over:init_failed:b`},
		"the end of a run that was left behind is nobody's": {kids: "a deaf abandon", text: `
			start       => +a up
			terminate a => -a
			after 6s    => !a stuck:a ~a terminate:a=ok
			a fails     =>
			== a down`},
	})
}
