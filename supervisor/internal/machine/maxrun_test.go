package machine_test

import "testing"

func TestTheLongestRun(t *testing.T) {
	runScripts(t, map[string]script{
		"who has run for so long has failed, however it ends": {kids: "a transient mortal; b temporary mortal; c", text: `
			start     => +a +b +c up
			after 59s =>
			after 1s  => -a -b +a gone:b
			after 59s =>
			after 1s  => -a +a
			== a running, c running`},
		"it counts from when the start is complete": {kids: "a mortal", text: `
			next a hold
			start     => +a
			after 20s =>
			a ready   => up
			after 59s =>
			after 1s  => -a +a`},
		"it ends with the run": {kids: "a mortal delayed; b", text: `
			start     => +a +b up
			after 30s =>
			a fails   => +a
			after 30s =>
			after 29s =>
			after 1s  => -a +a
			terminate a => -a ok
			after 60s =>
			== a down, b running`},
		"a run that is told to stop is not told twice": {kids: "a mortal slow infinite; b", text: `
			start       => +a +b up
			after 59s   =>
			terminate a => -a
			after 60s   =>
			== a stopping, b running`},
		"it stops the group": {sup: "one_for_all", kids: "a; b mortal; c", text: `
			start     => +a +b +c up
			after 60s => -b -c -a +a +b +c`},
	})
}
