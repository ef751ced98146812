package machine_test

import "testing"

func TestCallsOfOTP(t *testing.T) {
	runScripts(t, map[string]script{
		"rule 85: of a child that runs": {kids: "a; b", text: `
			start       => +a +b up
			start a     => already_started
			restart a   => running
			delete a    => running
			terminate a => -a ok`},
		"rule 85: of a child that is down": {kids: "a; b", text: `
			start       => +a +b up
			terminate a => -a ok
			start a     => already_present
			terminate a => ok
			restart a   => +a ok
			terminate a => -a ok
			delete a    => gone:a ok
			== b running`},
		"rule 85: of a child that waits for a restart": {kids: "a delayed; b", text: `
			start       => +a +b up
			a fails     => a@1s
			start a     => already_present
			restart a   => restarting
			delete a    => restarting
			terminate a => ok`},
		"rule 85: of nobody": {kids: "a", text: `
			start       => +a up
			terminate x => not_found
			restart x   => not_found
			delete x    => not_found
			bounce x    => not_found
			start x     => +x ok
			== a running, x running`},
		"rule 85: of a child of a template": {sup: "dynamic", text: `
			start       => up
			start a     => +a ok
			start a     => already_started
			restart a   => simple_one_for_one
			delete a    => simple_one_for_one
			restart x   => simple_one_for_one
			terminate x => not_found
			terminate a => -a ok gone:a`},
		"rule 85: who is terminated is waited for": {kids: "a slow", text: `
			start       => +a up
			terminate a => -a
			terminate a =>
			delete a    =>
			restart a   =>
			after 5s    => !a terminate:a=ok terminate:a=ok gone:a delete:a=ok restart:a=not_found`},
		"rule 86: who wants no run is kept, unless it is temporary": {text: `
			start             => up
			plan a ignore
			start a temporary => +a oa ok gone:a
			plan b ignore
			start b transient => +b ob ok
			== b down`},
		"rule 86: nothing is kept of a child that failed to start": {kids: "a; b", text: `
			start       => +a +b up
			terminate b => -b ok
			next b fails fails
			restart b   => +b xb start_failed
			delete b    => gone:b ok`},
		"rule 88: a restart that fails leaves it down and is not tried again or counted": {sup: "0/1h", kids: "a; b", text: `
			start       => +a +b up
			terminate a => -a ok
			next a fails fails fails ignore
			restart a   => +a xa start_failed
			restart a   => +a xa start_failed
			restart a   => +a xa start_failed
			restart a   => +a oa ok
			restart a   => +a ok
			== a running, b running`},
		"rule 89: a temporary child that is terminated goes": {sup: "one_for_all", kids: "a; b temporary; c", text: `
			start       => +a +b +c up
			terminate b => -b ok gone:b
			terminate b => not_found
			== a running, c running`},
		"rule 90: a child of a template that has gone is not known": {sup: "dynamic", text: `
			start             => up
			start a temporary => +a ok
			a ends            => gone:a
			terminate a       => not_found`},
		"rule 91: an exit before the call is followed by a restart": {sup: "1/1h", kids: "a; b", text: `
			start       => +a +b up
			a fails     => +a
			terminate a => -a ok`},
		"rule 91: an exit after the call is swallowed": {sup: "0/1h", kids: "a slow; b", text: `
			start       => +a +b up
			terminate a => -a
			a fails     => terminate:a=ok
			== a down, b running`},
		"rule 92: who was terminated stays down until its group is restarted": {sup: "rest_for_one", kids: "a; b; c", text: `
			start       => +a +b +c up
			terminate c => -c ok
			a hangs     => -a -b +a +b +c
			== a running, b running, c running`},
		"a supervisor has no more children than it may": {sup: "dynamic max=2", text: `
			start           => up
			start a delayed => +a ok
			start b         => +b ok
			start c         => max_children
			a fails         => a@1s
			start c         => max_children
			terminate b     => -b ok gone:b
			start c         => +c ok`},
	})
}

func TestStartChildThatFails(t *testing.T) {
	fails := func(how, answer, states string) script {
		return script{sup: "one_for_all 0/1h", kids: "a; b", text: `
			start           => +a +b up
			plan n ` + how + `
			start n delayed => +n ` + answer + `
			== a running, b running` + states}
	}
	runScripts(t, map[string]script{
		"rules 86 and 87: nothing is kept of it":        fails("fails", "xn start_failed gone:n", ""),
		"not even if it lacked something only for now":  fails("lacks", "xn start_failed gone:n", ""),
		"rule 86: one that wants no run is kept":        fails("ignore", "on ok", ", n down"),
		"one that takes its time is waited for":         fails("hold", "", ", n starting\nn ready => start:n=ok"),
		"one that is not ready in time is not kept":     fails("hold", "", ", n starting\nafter 30s => -n start:n=start_failed gone:n"),
		"one that hangs before that is not kept either": fails("hold", "", ", n starting\nn hangs => -n start:n=start_failed gone:n"),
		"one that is terminated before that stays down": fails("hold", "", ", n starting\nterminate n => start:n=interrupted -n ok\n== a running, b running, n down"),
		"a stop answers who waits for it":               fails("hold", "", ", n starting\nstop => -n -b -a start:n=stopped over:asked"),
	})
}

func TestBounce(t *testing.T) {
	runScripts(t, map[string]script{
		"one that runs is stopped and started in its place, its siblings untouched": {sup: "one_for_all 0/1h", kids: "a; b temporary; c", text: `
			start    => +a +b +c up
			bounce b => -b +b ok
			bounce a => -a +a ok`},
		"one that is down is started": {kids: "a; b", text: `
			start       => +a +b up
			terminate a => -a ok
			bounce a    => +a ok`},
		"one that is down and fails stays down": {sup: "0/1h", kids: "a; b", text: `
			start       => +a +b up
			terminate a => -a ok
			next a fails
			bounce a    => +a xa start_failed
			== a down, b running`},
		"one that ran and fails follows the rules of a failed restart": {sup: "1/1h", kids: "a; b", text: `
			start    => +a +b up
			next a fails fails
			bounce a => -a +a xa start_failed +a xa quit:a -b over:gave_up:a`},
		"one that starts begins anew": {kids: "a", text: `
			start    => +a up
			next a hold
			a fails  => +a
			bounce a => -a +a ok`},
		"one that stops for another bounce is bounced once": {kids: "a slow", text: `
			start    => +a up
			bounce a => -a
			bounce a =>
			after 5s => !a +a bounce:a=ok bounce:a=ok`},
		"one that is being terminated is started afterwards": {kids: "a slow", text: `
			start       => +a up
			terminate a => -a
			bounce a    =>
			after 5s    => !a terminate:a=ok +a bounce:a=ok`},
		"a terminate ends a bounce": {kids: "a slow", text: `
			start       => +a up
			bounce a    => -a
			terminate a => bounce:a=interrupted
			after 5s    => !a terminate:a=ok
			== a down`},
		"a child whose group stops is bounced by that": {sup: "one_for_all", kids: "a; b; c slow", text: `
			start    => +a +b +c up
			bounce c => -c
			a fails  =>
			bounce b =>
			after 5s => !c -b +a +b +c bounce:c=ok -b +b bounce:b=ok`},
		"a temporary child whose group stops is not": {sup: "one_for_all", kids: "a; b temporary slow", text: `
			start    => +a +b up
			bounce b => -b
			a fails  =>
			after 5s => !b bounce:b=interrupted gone:b +a`},
		"one whose end is still to be judged is bounced then": {kids: "a; b", text: `
			next b hold
			start    => +a +b
			a fails  =>
			bounce a =>
			b ready  => up +a -a +a bounce:a=ok`},
	})
}

func TestRestartAll(t *testing.T) {
	runScripts(t, map[string]script{
		"what runs or waits stops in reverse and starts in order": {sup: "0/1h", kids: "a; b temporary; c delayed; d", text: `
			start       => +a +b +c +d up
			c fails     => c@1s
			terminate d => -d ok
			restart_all => -b -a +a +b +c ok
			== a running, b running, c running, d down`},
		"one that is being terminated stays down": {kids: "a slow; b", text: `
			start       => +a +b up
			terminate a => -a
			restart_all => -b
			after 5s    => !a terminate:a=ok +b restart:all=ok
			== a down, b running`},
		"one that is being bounced starts with all": {kids: "a slow; b", text: `
			start       => +a +b up
			bounce a    => -a
			restart_all => -b
			after 5s    => !a +a bounce:a=ok +b restart:all=ok`},
		"one that starts begins anew, and who waits for it waits on": {kids: "a; b", text: `
			start       => +a +b up
			plan n hold ready
			start n     => +n
			restart_all => -n -b -a +a +b +n start:n=ok ok`},
		"a new child whose second start fails is not kept": {kids: "a", text: `
			start       => +a up
			plan n hold fails
			start n     => +n
			restart_all => -n -a +a +n xn start:n=start_failed gone:n ok`},
		"one that fails to start is tried again by itself": {sup: "1/1h", kids: "a; b", text: `
			start       => +a +b up
			next a fails
			restart_all => -b -a +a xa +b ok +a`},
		"in a group the others wait for that": {sup: "one_for_all", kids: "a delayed; b", text: `
			start       => +a +b up
			next a fails
			restart_all => -b -a +a xa a@1s ok
			== a restarting, b down
			after 1s    => +a +b`},
		"during the start of all it waits": {kids: "a; b", text: `
			next b hold
			start       => +a +b
			restart_all =>
			b ready     => up -b -a +a +b restart:all=ok`},
		"of no children it is done at once": {text: `
			start       => up
			restart_all => ok`},
		"one after the other": {kids: "a slow; b", text: `
			start       => +a +b up
			restart_all => -b -a
			restart_all =>
			after 5s    => !a +a +b restart:all=ok -b -a
			after 5s    => !a +a +b restart:all=ok`},
		"a child that fails meanwhile has its own life": {sup: "1/1h", kids: "a; b; c", text: `
			start       => +a +b +c up
			next b hold
			restart_all => -c -b -a +a +b
			a fails     => +a
			b ready     => +c restart:all=ok`},
		"a stop ends it": {kids: "a; b slow", text: `
			start       => +a +b up
			restart_all => -b
			stop        => restart:all=stopped
			after 5s    => !b -a over:asked`},
		"the children of a template stop together": {sup: "dynamic", text: `
			start        => up
			start a slow => +a ok
			start b slow => +b ok
			restart_all  => -b -a
			after 5s     => !b !a +a +b restart:all=ok`},
	})
}

func TestCallsThatWait(t *testing.T) {
	runScripts(t, map[string]script{
		"difference 6: calls during the start wait for its end, but not those about nobody": {kids: "a; b", text: `
			next b hold
			start       => +a +b
			terminate a =>
			bounce a    =>
			start x     =>
			terminate y => not_found
			b ready     => up -a +x terminate:a=ok +a start:x=ok bounce:a=ok`},
		"a call of the child that is waited for is told so": {kids: "a; b", text: `
			next b hold
			start            => +a +b
			start x by b     => starting
			bounce a by b    => starting
			restart_all by b => starting
			start x by a     =>
			b ready          => up +x start:x=ok`},
		"a call of a child in its own restart is served if nothing waits for it": {kids: "a; b", text: `
			start            => +a +b up
			next b hold
			b fails          => +b
			bounce a by b    => -a +a ok
			restart b by b   => starting
			terminate b by b => -b ok`},
		"during a group's restart calls about it wait": {sup: "rest_for_one", kids: "a; b; c slow; d", text: `
			start       => +a +b +c +d up
			b fails     => -d -c
			terminate d =>
			restart b   =>
			start x     =>
			restart_all =>
			bounce a    => -a +a ok
			after 5s    => !c +b +c +d -d restart:b=running +x -x terminate:d=ok -c
			after 5s    => !c -b -a +a +b +c +x start:x=ok restart:all=ok
			== a running, b running, c running, d down, x running`},
		"a call about a temporary child of the group finds nobody": {sup: "one_for_all", kids: "a; b temporary; c slow", text: `
			start       => +a +b +c up
			a fails     => -c
			terminate b =>
			after 5s    => !c -b gone:b +a +c terminate:b=not_found`},
		"a start waits for one of that name to stop": {kids: "a temporary slow", text: `
			start       => +a up
			terminate a => -a
			start a     =>
			after 5s    => !a terminate:a=ok gone:a +a start:a=ok`},
		"a restart waits for a start": {kids: "a; b", text: `
			start       => +a +b up
			terminate a => -a ok
			next a hold
			restart a   => +a
			restart a   =>
			start a     =>
			delete a    =>
			a ready     => restart:a=ok restart:a=running start:a=already_started delete:a=running`},
		"and for one that is stuck nobody waits": {kids: "a deaf", text: `
			start     => +a up
			a hangs   => -a
			after 6s  => !a stuck:a
			restart a => running
			start a   => already_started
			delete a  => running`},
	})
}
