package probe_test

import (
	"bufio"
	"net"
	"testing"

	"github.com/coppice-go/coppice/child/probe"
)

func TestAServerIsWellThatAcceptsAndSaysWhatIsExpected(t *testing.T) {
	t.Parallel()
	store := listen(t, func(c net.Conn) {
		line, err := bufio.NewReader(c).ReadString('\n')
		if err == nil && line == "PING\r\n" {
			_, _ = c.Write([]byte("+PO"))
			_, _ = c.Write([]byte("NG\r\n"))
		}
		_ = c.Close()
	})
	greets := listen(t, says("220 mail.example ESMTP\r\n", "", 0))
	closed := closedPort(t)
	for name, tt := range map[string]struct {
		probe probe.TCP
		want  string // of the error, or none
	}{
		"it accepts":               {probe.TCP{Address: store}, ""},
		"it accepts and is silent": {probe.TCP{Address: listen(t, deaf)}, ""},
		"it refuses":               {probe.TCP{Address: closed}, "tcp " + closed + ": dial tcp " + closed + ": "},
		"it greets":                {probe.TCP{Address: greets, Expect: "220 "}, ""},
		"it answers":               {probe.TCP{Address: store, Send: "PING\r\n", Expect: "+PONG"}, ""},
		"it answers otherwise":     {probe.TCP{Address: store, Send: "PING\r\n", Expect: "+OK"}, `no "+OK" in "+PONG\r\n"`},
		"it hangs up":              {probe.TCP{Address: store, Send: "QUIT\r\n", Expect: "+OK"}, `no "+OK" in ""`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := ask(t, ample, tt.probe.Ping); tt.want != "" {
				wantError(t, err, tt.want)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}
