package supervisor_test

import "testing"

func TestAutomaticShutdown(t *testing.T) {
	playScenes(t, map[string]scene{
		"children that are not significant, temporary": {sup: "any_significant", kids: "a; b temporary; c temporary; d temporary; e temporary", text: `
			start       => +a +b +c +d +e up
			terminate b => -b ok
			c panics    =>
			d fails     =>
			e ends      =>
			== a running`},
		"the same, with all_significant": {sup: "all_significant", kids: "a; b temporary; c temporary; d temporary; e temporary", text: `
			start       => +a +b +c +d +e up
			terminate b => -b ok
			c panics    =>
			d fails     =>
			e ends      =>
			== a running`},
		"the same, with neither": {kids: "a; b temporary; c temporary; d temporary; e temporary", text: `
			start       => +a +b +c +d +e up
			terminate b => -b ok
			c panics    =>
			d fails     =>
			e ends      =>
			== a running`},
		"children that are not significant, transient": {sup: "any_significant 5/1h", kids: "a; b transient; c transient", text: `
			start       => +a +b +c up
			terminate b => -b ok
			restart b   => +b ok
			b panics    => +b
			b fails     => +b
			b ends      =>
			== a running, b down, c running`},
		"the same, transient, with all_significant": {sup: "all_significant 5/1h", kids: "a; b transient", text: `
			start    => +a +b up
			b panics => +b
			b fails  => +b
			b ends   =>
			== a running, b down`},
		"the same, transient, with neither": {sup: "5/1h", kids: "a; b transient", text: `
			start    => +a +b up
			b panics => +b
			b fails  => +b
			b ends   =>
			== a running, b down`},
		"significant and temporary: not by a call": {sup: "any_significant", kids: "a; b temporary significant", text: `
			start       => +a +b up
			terminate b => -b ok
			== a running`},
		"significant and temporary: by a panic": {sup: "any_significant", kids: "a; b temporary significant", text: `
			start    => +a +b up
			b panics => -a over:automatic:b`},
		"significant and temporary: by a failure": {sup: "any_significant", kids: "a; b temporary significant", text: `
			start   => +a +b up
			b fails => -a over:automatic:b`},
		"significant and temporary: by a normal end": {sup: "any_significant", kids: "a; b temporary significant", text: `
			start  => +a +b up
			b ends => -a over`},
		"significant and temporary: the last of all": {sup: "all_significant", kids: "a; b temporary significant; c temporary significant", text: `
			start   => +a +b +c up
			c fails =>
			b ends  => -a over`},
		"significant and transient: a failure is restarted, a normal end ends all": {sup: "any_significant", kids: "a; b transient significant", text: `
			start       => +a +b up
			terminate b => -b ok
			restart b   => +b ok
			b panics    => +b
			b fails     => +b
			b ends      => -a over`},
		"significant and transient: the last of all": {sup: "all_significant", kids: "a; b transient significant; c transient significant", text: `
			start  => +a +b +c up
			c ends =>
			b ends => -a over`},
		"a bystander's failure, one_for_one": {sup: "any_significant", kids: "a; b transient significant; c temporary significant", text: `
			start   => +a +b +c up
			a fails => +a
			== a running, b running, c running`},
		"a bystander's failure, one_for_one, all_significant": {sup: "all_significant", kids: "a; b transient significant; c temporary significant", text: `
			start   => +a +b +c up
			a fails => +a
			== a running, b running, c running`},
		"a bystander's failure, one_for_all": {sup: "one_for_all any_significant", kids: "a; b transient significant; c temporary significant", text: `
			start   => +a +b +c up
			a fails => -c -b +a +b
			== a running, b running`},
		"a bystander's failure, rest_for_one": {sup: "rest_for_one any_significant", kids: "a; b transient significant; c temporary significant", text: `
			start   => +a +b +c up
			a fails => -c -b +a +b
			== a running, b running`},
		"a bystander's failure, one_for_all, all_significant": {sup: "one_for_all all_significant", kids: "a; c temporary significant", text: `
			start   => +a +c up
			a fails => -c +a
			== a running`},
		"a bystander's failure, rest_for_one, all_significant": {sup: "rest_for_one all_significant", kids: "a; c temporary significant", text: `
			start   => +a +c up
			a fails => -c +a
			== a running`},
		"it goes up through significant supervisors": {sup: "any_significant", kids: "a; b transient significant", inner: map[string]scene{
			"b": {sup: "any_significant", kids: "c; d transient significant"}}, text: `
			start    => +a +b/c +b/d up
			b/d ends => -b/c -a over`},
		"and no further": {sup: "any_significant", kids: "a; b transient; x transient significant", inner: map[string]scene{
			"b": {sup: "any_significant", kids: "c; d transient significant"}}, text: `
			start    => +a +b/c +b/d +x up
			b/d ends => -b/c
			== a running, b down, x running`},
		"a permanent supervisor that shuts itself down is restarted until that is too much": {sup: "1/1h", kids: "a; b", inner: map[string]scene{
			"b": {sup: "any_significant", kids: "c transient significant"}}, text: `
			start    => +a +b/c up
			b/c ends => +b/c
			b/c ends => -a over:gave_up:b`},
		"one that waits for its restart is not down": {sup: "all_significant", kids: "a transient significant delayed; b transient significant", text: `
			start       => +a +b up
			a fails     =>
			b ends      =>
			== a restarting, b down
			after 1s    => +a
			a ends      => over`},
		"to terminate that one ends nothing, for good": {sup: "all_significant", kids: "a transient significant delayed; b transient significant; c", text: `
			start       => +a +b +c up
			a fails     =>
			b ends      =>
			terminate a => ok
			after 1h    =>
			c fails     => +c
			== a down, b down, c running`},
		"those terminated or without a run do not block": {sup: "all_significant", kids: "a transient significant; b transient significant; c transient significant; d", text: `
			next b ignore
			start       => +a +b ob +c +d up
			terminate a => -a ok
			c ends      => -d over`},
		"a restart that wants no run ends nothing": {sup: "any_significant", kids: "a; b transient significant", text: `
			start   => +a +b up
			next b ignore
			b fails => +b ob
			== a running, b down`},
	})
}
