package supervisor_test

import "testing"

// What goes up from a supervisor to the one above it.
func TestSupervisorsBelowSupervisors(t *testing.T) {
	pair := map[string]scene{"s": {sup: "0/1h", kids: "a; b"}}
	playScenes(t, map[string]scene{
		"a tree of supervisors keeps trouble where it is, and is rebuilt as it was specified": {
			sup: "one_for_all 1/1h", kids: "s; m; n", inner: map[string]scene{
				"s": {sup: "1/1h", kids: "a"}, "m": {sup: "dynamic 1/1h"}, "n": {sup: "rest_for_one 1/1h", kids: "b; c"},
			}, text: `
			start         => +s/a +n/b +n/c up
			start s/x     => +s/x ok
			start m/d     => +m/d ok
			start n/e     => +n/e ok
			terminate n/c => -n/c ok
			delete n/c    => ok
			n/b fails     => -n/e +n/b +n/e
			m/d fails     => +m/d
			s/x fails     => +s/x
			terminate n   => -n/e -n/b ok
			== s running, s/a running, s/x running, m running, m/d running, n down
			s/x fails     => -s/a -m/d +s/a +n/b +n/c
			== s running, s/a running, m running, n running, n/b running, n/c running`},
		"one that gave up: permanent is restarted": {sup: "1/1h", kids: "s; z", inner: pair, text: `
			start     => +s/a +s/b +z up
			s/a fails => -s/b +s/a +s/b
			s/b fails => -s/a -z over:gave_up:s`},
		"one that gave up: transient stays down": {sup: "0/1h", kids: "s transient; z", inner: pair, text: `
			start     => +s/a +s/b +z up
			s/a fails => -s/b
			== s down, z running
			restart s => +s/a +s/b ok`},
		"one that gave up: temporary goes": {sup: "0/1h", kids: "s temporary; z", inner: pair, text: `
			start     => +s/a +s/b +z up
			s/a fails => -s/b
			== z running`},
		"one whose start fails in a restart is tried again until that is too much": {sup: "2/1h", kids: "s; z", inner: pair, text: `
			start     => +s/a +s/b +z up
			next s/b fails fails
			s/a fails => -s/b +s/a +s/b xs/b -s/a +s/a +s/b xs/b -s/a -z over:gave_up:s`},
		"dynamic children of a restarted supervisor are lost, deleted ones come back": {kids: "s; z", inner: pair, text: `
			start         => +s/a +s/b +z up
			start s/x     => +s/x ok
			terminate s/b => -s/b ok
			delete s/b    => ok
			s/a fails     => -s/x +s/a +s/b
			== s running, s/a running, s/b running, z running`},
		"one that hangs in a child's start is killed by its parent": {kids: "s grace=100ms; z", inner: map[string]scene{"s": {kids: "a cleanup=1s; b infinite slow"}}, text: `
			start       => +s/a +s/b +z up
			terminate s => -s/b
			after 99ms  =>
			after 1ms   =~ !s/a !s/b -s/a terminate:s=ok
			next s/b hold
			restart s   => +s/a +s/b
			terminate s =~ -s/b restart:s=interrupted
			after 100ms =~ !s/a !s/b -s/a terminate:s=ok`},
		"places keep their names through every restart": {kids: "s", inner: map[string]scene{"s": {sup: "one_for_all 1/1h", kids: "a; b"}}, text: `
			start         => +s/a +s/b up
			s/a panics    => -s/b +s/a +s/b
			s/b fails     => -s/a +s/a +s/b
			s/b ends      => -s/a +s/a +s/b
			terminate s/a => -s/a ok
			restart s/a   => +s/a ok
			bounce s      => -s/b -s/a +s/a +s/b ok
			== s running, s/a running, s/b running`},
	})
}
