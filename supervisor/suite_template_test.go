package supervisor_test

import "testing"

func TestTheChildrenOfATemplate(t *testing.T) {
	playScenes(t, map[string]scene{
		"one that wants no run is not kept, temporary": {sup: "dynamic", text: `
			start             => up
			next a ignore
			start a temporary => +a oa ok
			start b temporary => +b ok
			== b running
			count             => 1 1 0 1`},
		"one that wants no run is not kept, permanent": {sup: "dynamic", text: `
			start   => up
			next a ignore
			start a => +a oa ok
			start b => +b ok
			== b running
			count   => 1 1 0 1
			stop    => -b over`},
		"nothing is kept of one that fails": {sup: "dynamic 0/1h", text: `
			start   => up
			next a fails panics
			start a => +a xa start_failed
			start a => +a xa start_failed
			count   => 1 0 0 0`},
		"a restart that wants no run takes the place": {sup: "dynamic", text: `
			start             => up
			start a transient => +a ok
			start b           => +b ok
			next a ignore
			next b ignore
			a fails           => +a oa
			b fails           => +b ob
			count             => 1 0 0 0
			stop              => over`},
		"each is restarted alone, and they share one count": {sup: "dynamic 2/1h", text: `
			start   => up
			start a => +a ok
			start b => +b ok
			a fails => +a
			b fails => +b
			a fails => -b over:gave_up:a`},
		"three of five that die are too many for two": {sup: "dynamic 2/1h", text: `
			start   => up
			start a => +a ok
			start b => +b ok
			start c => +c ok
			start d => +d ok
			start e => +e ok
			a fails => +a
			c fails => +c
			e fails => -a -b -c -d over:gave_up:e`},
		"a child whose restarts fail ends its supervisor": {sup: "dynamic 4/1h", text: `
			start   => up
			start a => +a ok
			start b => +b ok
			next a fails fails fails fails fails
			a fails => +a xa +a xa +a xa +a xa -b over:gave_up:a`},
		"all stop together, each with its own time": {sup: "dynamic", text: `
			start                       => up
			start a cleanup=1s grace=2s => +a ok
			start b cleanup=1s grace=2s => +b ok
			start c cleanup=5s grace=2s => +c ok
			stop                        => -a -b -c
			after 1s                    =>
			== a down, b down, c stopping
			after 1s                    => !c over`},
		"killed brutally, all in one step": {sup: "dynamic", text: `
			start                     => up
			start a brutal cleanup=1h => +a ok
			start b brutal cleanup=1h => +b ok
			start c brutal cleanup=1h => +c ok
			stop                      => -a !a -b !b -c !c over`},
		"they are started and terminated by name, and by nothing else": {sup: "dynamic", text: `
			start       => up
			count       => 1 0 0 0
			start a     => +a ok
			count       => 1 1 0 1
			start b     => +b ok
			count       => 1 2 0 2
			start a     => already_started
			restart a   => simple_one_for_one
			delete a    => simple_one_for_one
			terminate a => -a ok
			terminate a => not_found
			terminate x => not_found
			count       => 1 1 0 1
			== b running`},
		"those of a supervisor that is restarted are lost": {kids: "s", inner: map[string]scene{"s": {sup: "dynamic 0/1h"}}, text: `
			start     => up
			start s/a => +s/a ok
			start s/b => +s/b ok
			s/a fails => -s/b
			count s   => 1 0 0 0
			== s running
			start s/a => +s/a ok`},
	})
}
