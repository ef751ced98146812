package machine_test

import "testing"

func TestWhoIsRestarted(t *testing.T) {
	runScripts(t, map[string]script{
		"rule 42: a permanent child always": {kids: "a", text: `
			start     => +a up
			a fails   => +a
			a ends    => +a
			a gave_up => +a`},
		"rule 42: a transient child when it failed": {kids: "a transient; b", text: `
			start   => +a +b up
			a fails => +a
			a ends  =>
			== a down, b running`},
		"rule 42: a temporary child never, and its place goes": {kids: "a temporary; b temporary; c", text: `
			start   => +a +b +c up
			a fails => gone:a
			b ends  => gone:b
			== c running`},
		"rule 44: an end without a restart touches nobody and is not counted": {
			sup: "one_for_all 0/1s", kids: "a transient; b temporary; c", text: `
			start   => +a +b +c up
			a ends  =>
			b fails => gone:b
			== a down, c running`},
		"rule 45: a supervisor that gave up has ended as if it had been asked to": {
			kids: "a supervisor; b supervisor transient; c supervisor temporary", text: `
			start       => +a +b +c up
			a gave_up   => +a
			b gave_up   =>
			c gave_up   => gone:c
			== a running, b down
			a shut_down => +a
			restart b   => +b ok
			b shut_down =>
			== a running, b down`},
		"only a supervisor can give up": {kids: "a transient", text: `
			start     => +a up
			a gave_up => +a`},
		"who wants no other run loses its place": {kids: "a; b", text: `
			start   => +a +b up
			a never => gone:a
			== b running`},
		"who asks for the end of the tree gets it": {kids: "a; b; c", text: `
			start      => +a +b +c up
			b end_tree => -c -a over:terminated:b`},
		"what Decide says goes before the type": {kids: "a temporary; b; c", text: `
			start          => +a +b +c up
			a must_restart => +a
			b is_complete  =>
			== a running, b down, c running
			c escalates    => quit:c -a over:gave_up:c`},
		"what hangs has failed, however it ends": {kids: "a transient; b temporary", text: `
			start   => +a +b up
			a hangs => -a +a
			b hangs => -b gone:b`},
	})
}

func TestTheStrategies(t *testing.T) {
	runScripts(t, map[string]script{
		"rule 48: one_for_one starts the failed child alone": {sup: "one_for_one", kids: "a; b; c", text: `
			start   => +a +b +c up
			b fails => +b`},
		"rule 49: one_for_all stops all in reverse and starts all in order": {sup: "one_for_all", kids: "a; b; c", text: `
			start   => +a +b +c up
			b fails => -c -a +a +b +c`},
		"rule 49: one after the other": {sup: "one_for_all", kids: "a slow; b; c slow", text: `
			start    => +a +b +c up
			next a hold
			b fails  => -c
			after 5s => !c -a
			after 5s => !a +a
			a ready  => +b +c`},
		"rule 50: rest_for_one does so from the failed child on": {sup: "rest_for_one", kids: "a; b; c; d", text: `
			start   => +a +b +c +d up
			b fails => -d -c +b +c +d`},
		"rule 51: the group starts whatever is down": {
			sup: "one_for_all", kids: "a; b; c transient; d; e temporary", text: `
			next d ignore
			start       => +a +b +c +d od +e up
			terminate b => -b ok
			c ends      =>
			== a running, b down, c down, d down, e running
			a fails     => -e gone:e +a +b +c +d
			== a running, b running, c running, d running`},
		"rule 51: but only within the span": {sup: "rest_for_one", kids: "a; b; c", text: `
			start       => +a +b +c up
			terminate a => -a ok
			terminate c => -c ok
			b fails     => +b +c
			== a down, b running, c running`},
		"rule 52: temporary siblings go, except before the failed child": {
			sup: "rest_for_one", kids: "a temporary; b; c temporary; d", text: `
			start   => +a +b +c +d up
			b fails => -d -c gone:c +b +d
			== a running, b running, d running`},
		"rule 52: a temporary sibling that dies as the group stops goes too": {
			sup: "one_for_all", kids: "a; b temporary; c slow", text: `
			start    => +a +b +c up
			a fails  => -c
			b fails  => gone:b
			after 5s => !c +a +c`},
		"rule 53: siblings are not counted": {sup: "one_for_all 1/1h", kids: "a; b; c; d", text: `
			start   => +a +b +c +d up
			a fails => -d -c -b +a +b +c +d
			a fails => quit:a -d -c -b over:gave_up:a`},
		"rule 53: nor is their end significant": {
			sup: "one_for_all any_significant", kids: "a; b transient significant; c temporary significant", text: `
			start   => +a +b +c up
			a fails => -c gone:c -b +a +b`},
		"rule 54: who dies while the group stops is swallowed": {sup: "one_for_all 1/1h", kids: "a; b; c slow", text: `
			start    => +a +b +c up
			b fails  => -c
			a fails  =>
			after 5s => !c +a +b +c`},
		"rule 54: under rest_for_one too, if the earlier one was first": {sup: "rest_for_one 1/1h", kids: "a; b; c slow", text: `
			start    => +a +b +c up
			a fails  => -c
			b fails  =>
			after 5s => !c +a +b +c`},
		"rule 54: if the later one was first, both count": {sup: "rest_for_one 1/1h", kids: "a; b; c slow", text: `
			start    => +a +b +c up
			b fails  => -c
			a fails  => quit:a
			after 5s => !c over:gave_up:a`},
		"rule 54: both count under one_for_one": {sup: "one_for_one 1/1h", kids: "a; b; c", text: `
			start   => +a +b +c up
			a fails => +a
			b fails => quit:b -c -a over:gave_up:b`},
		"rule 55: the children of a template are one_for_one and share their count": {sup: "dynamic 2/1h", text: `
			start   => up
			start a => +a ok
			start b => +b ok
			start c => +c ok
			a fails => +a
			b fails => +b
			c fails => quit:c -b -a over:gave_up:c`},
		"the group of an earlier child takes over from that of a later one": {sup: "rest_for_one 2/1h", kids: "a; b; c; d slow", text: `
			start    => +a +b +c +d up
			c fails  => -d
			a fails  =>
			after 5s => !d -b +a +b +c +d`},
		"what a group has started again before a child of it fails is left alone": {sup: "rest_for_one", kids: "a; b; c; d", text: `
			start   => +a +b +c +d up
			next d hold
			b fails => -d -c +b +c +d
			c fails => -d +c +d`},
		"a child before the group has its own life meanwhile": {sup: "rest_for_one", kids: "a; b; c slow", text: `
			start    => +a +b +c up
			b fails  => -c
			bounce a => -a +a ok
			after 5s => !c +b +c`},
		"and if it fails to start, the group goes on": {sup: "rest_for_one 2/1h", kids: "a; b; c slow", text: `
			start       => +a +b +c up
			b fails     => -c
			next a fails
			bounce a    => -a +a xa start_failed
			== a restarting, b restarting, c stopping
			after 5s    => !c +b +c -c
			after 5s    => !c -b +a +b +c`},
	})
}

func TestTheWindow(t *testing.T) {
	runScripts(t, map[string]script{
		"rule 56: so many restarts are made, the next is refused": {sup: "2/1h", kids: "a", text: `
			start   => +a up
			a fails => +a
			a fails => +a
			a fails => quit:a over:gave_up:a`},
		"rule 56: none at all": {sup: "0/1h", kids: "a; b", text: `
			start  => +a +b up
			a ends => quit:a -b over:gave_up:a`},
		"rule 57: calls are not counted": {sup: "0/1h", kids: "a", text: `
			start       => +a up
			terminate a => -a ok
			restart a   => +a ok
			bounce a    => -a +a ok
			restart_all => -a +a ok
			start b     => +b ok`},
		"rule 58: all children share one count": {sup: "1/1h", kids: "a; b", text: `
			start   => +a +b up
			a fails => +a
			b fails => quit:b -a over:gave_up:b`},
		"unless each is counted by itself": {sup: "1/1h each", kids: "a; b", text: `
			start   => +a +b up
			a fails => +a
			b fails => +b
			a fails => quit:a -b over:gave_up:a`},
		"a restart whose age is the period still counts": {sup: "1/10s", kids: "a; b", text: `
			start     => +a +b up
			a fails   => +a
			after 10s =>
			a fails   => quit:a -b over:gave_up:a`},
		"an older one does not": {sup: "1/10s", kids: "a", text: `
			start           => +a up
			a fails         => +a
			after 10s1ns    =>
			a fails         => +a`},
		"it counts when the attempt is made and not when the child fails": {sup: "1/1s", kids: "a delayed", text: `
			start    => +a up
			a fails  => a@1s
			after 1s => +a
			a fails  => a@2s
			after 2s => +a`},
		"rule 66: each retry counts": {sup: "3/1h", kids: "a; b", text: `
			start   => +a +b up
			next b fails fails fails fails
			b fails => +b xb +b xb +b xb quit:b -a over:gave_up:b`},
		"rule 67: the last may succeed": {sup: "3/1h", kids: "a", text: `
			start   => +a up
			next a fails fails ready
			a fails => +a xa +a xa +a`},
		"a retry of a start that failed for now does not count": {sup: "1/1h", kids: "a; b", text: `
			start   => +a +b up
			next a lacks lacks lacks
			a fails => +a xa +a xa +a xa +a
			a fails => quit:a -b over:gave_up:a`},
		"and says nothing about the attempt after the next": {sup: "0/1h", kids: "a delayed; b", text: `
			start       => +a +b up
			next a fails
			terminate a => -a ok
			restart a   => +a xa start_failed
			restart a   => +a ok
			a fails     => a@1s
			bounce a    => +a ok
			a fails     => a@1s
			after 1s    => quit:a -b over:gave_up:a`},
		"a bounce of one that lacked something does not make its next failure free": {sup: "1/1h", kids: "a delayed; b", text: `
			start    => +a +b up
			a fails  => a@1s
			next a lacks
			after 1s => +a xa a@2s
			bounce a => +a ok
			a fails  => a@1s
			after 1s => quit:a -b over:gave_up:a`},
	})
}
