package notify

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

func TestParse(t *testing.T) {
	t.Parallel()
	const longest = math.MaxInt64 / 1000 * time.Microsecond
	tests := map[string]struct {
		datagram string
		want     Message
		unknown  bool
	}{
		"ready":                                {"READY=1", Message{Fields: Ready}, false},
		"several fields":                       {"READY=1\nSTATUS=serving\n", Message{Fields: Ready | Status, Status: "serving"}, false},
		"empty lines":                          {"\n\nSTOPPING=1\n\n", Message{Fields: Stopping}, false},
		"the end of a C string":                {"READY=1\n\x00", Message{Fields: Ready}, false},
		"reloading at a moment":                {"RELOADING=1\nMONOTONIC_USEC=5000000", Message{Fields: Reloading | Monotonic, Monotonic: 5 * time.Second}, false},
		"a beat":                               {"WATCHDOG=1", Message{Fields: Beat}, false},
		"a trigger":                            {"WATCHDOG=trigger", Message{Fields: Trigger}, false},
		"a new watchdog":                       {"WATCHDOG_USEC=1500", Message{Fields: Watchdog, Watchdog: 1500 * time.Microsecond}, false},
		"no watchdog any more":                 {"WATCHDOG_USEC=0", Message{Fields: Watchdog}, false},
		"a watchdog for ever":                  {"WATCHDOG_USEC=18446744073709551615", Message{Fields: Watchdog, Watchdog: longest}, false},
		"more time":                            {"EXTEND_TIMEOUT_USEC=1000000", Message{Fields: Extend, Extend: time.Second}, false},
		"a main process":                       {"MAINPID=4711", Message{Fields: MainPID, MainPID: 4711}, false},
		"an error number":                      {"ERRNO=2", Message{Fields: Errno, Errno: syscall.Errno(2)}, false},
		"an error taken back":                  {"ERRNO=0", Message{Fields: Errno}, false},
		"an empty status clears":               {"STATUS=", Message{Fields: Status}, false},
		"a status with an equals sign":         {"STATUS=a=b", Message{Fields: Status, Status: "a=b"}, false},
		"the first of two counts":              {"STATUS=a\nSTATUS=b", Message{Fields: Status, Status: "a"}, false},
		"the first good one of two counts":     {"MAINPID=x\nMAINPID=7", Message{Fields: MainPID, MainPID: 7}, true},
		"a barrier says nothing":               {"BARRIER=1", Message{}, false},
		"nothing at all":                       {"", Message{}, true},
		"lines with nothing":                   {"\n\n", Message{}, true},
		"no assignment":                        {"READY", Message{}, true},
		"not ready is not a word":              {"READY=0", Message{}, true},
		"a space too many":                     {" READY=1", Message{}, true},
		"small letters":                        {"ready=1", Message{}, true},
		"an unknown field beside a known one":  {"X_LOAD=3\nREADY=1", Message{Fields: Ready}, true},
		"descriptors to store are not for us":  {"FDSTORE=1\nFDNAME=x", Message{}, true},
		"no process has the number zero":       {"MAINPID=0", Message{}, true},
		"a negative process":                   {"MAINPID=-1", Message{}, true},
		"a process beyond all numbers":         {"MAINPID=2147483648", Message{}, true},
		"a signed number":                      {"WATCHDOG_USEC=+1", Message{}, true},
		"a number in another base":             {"WATCHDOG_USEC=0x10", Message{}, true},
		"a number with a unit":                 {"EXTEND_TIMEOUT_USEC=1s", Message{}, true},
		"a number beyond all":                  {"EXTEND_TIMEOUT_USEC=18446744073709551616", Message{}, true},
		"a number without digits":              {"WATCHDOG_USEC=", Message{}, true},
		"an error that no system has":          {"ERRNO=4096", Message{}, true},
		"a zero in the middle":                 {"READY=1\x00\nSTOPPING=1", Message{Fields: Stopping}, true},
		"a zero in a status":                   {"STATUS=a\x00b", Message{Fields: Status, Status: "a b"}, false},
		"a line break of another system":       {"READY=1\r\n", Message{}, true},
		"a status with an escape sequence":     {"STATUS=\x1b[31mred\x1b[0m", Message{Fields: Status, Status: "[31mred [0m"}, false},
		"a status with other line breaks":      {"STATUS=a\rb\u2028c\u0085d", Message{Fields: Status, Status: "a b c d"}, false},
		"a status that turns the writing":      {"STATUS=a\u202eb", Message{Fields: Status, Status: "a b"}, false},
		"a status that is not UTF-8":           {"STATUS=a\xffb", Message{Fields: Status, Status: "a\ufffdb"}, false},
		"a status in other letters":            {"STATUS=Größe 木", Message{Fields: Status, Status: "Größe 木"}, false},
		"a status of a kilobyte":               {"STATUS=" + strings.Repeat("a", MaxStatus), Message{Fields: Status, Status: strings.Repeat("a", MaxStatus)}, false},
		"a status of more than a kilobyte":     {"STATUS=" + strings.Repeat("a", MaxStatus+1), Message{Fields: Status, Status: strings.Repeat("a", MaxStatus-3) + "..."}, false},
		"a long status is cut between letters": {"STATUS=" + strings.Repeat("木", MaxStatus), Message{Fields: Status, Status: strings.Repeat("木", 340) + "..."}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Parse([]byte(tt.datagram))
			if got != tt.want || errors.Is(err, ErrUnknown) != tt.unknown {
				t.Errorf("got %+v, %v, want %+v, unknown: %v", got, err, tt.want, tt.unknown)
			}
		})
	}
}

func TestAStatusIsOneLineOfPrintableTextAndAtMostAKilobyte(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for r := rune(0); r < 0x3000; r++ {
		if r != '\n' {
			all.WriteRune(r)
		}
		if all.Len() > 300 {
			m, err := Parse([]byte("STATUS=" + all.String()))
			checkStatus(t, m)
			if err != nil {
				t.Error(err)
			}
			all.Reset()
		}
	}
}

func checkStatus(t *testing.T, m Message) {
	t.Helper()
	if len(m.Status) > MaxStatus || !utf8.ValidString(m.Status) {
		t.Errorf("%d bytes of %q", len(m.Status), m.Status)
	}
	for _, r := range m.Status {
		if !strconv.IsPrint(r) {
			t.Errorf("%q holds %q", m.Status, r)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"READY=1\nSTATUS=x", "WATCHDOG_USEC=1\nWATCHDOG=trigger", "MAINPID=1\nERRNO=2\nX=1",
		"EXTEND_TIMEOUT_USEC=99999999999999999999\x00", "STATUS=\xff\x1b[0m\r", "=\n==\nBARRIER=1",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, datagram []byte) {
		m, err := Parse(datagram)
		checkStatus(t, m)
		if m.Fields >= Monotonic<<1 || m.Main != nil || min(m.Watchdog, m.Extend, m.Monotonic) < 0 {
			t.Errorf("%+v", m)
		}
		if m.Has(MainPID) != (m.MainPID > 0) || m.Errno > maxErrno {
			t.Errorf("%+v", m)
		}
		for _, absent := range []struct {
			field Fields
			zero  bool
		}{
			{Status, m.Status == ""}, {Watchdog, m.Watchdog == 0}, {Extend, m.Extend == 0},
			{Errno, m.Errno == 0}, {Monotonic, m.Monotonic == 0},
		} {
			if !m.Has(absent.field) && !absent.zero {
				t.Errorf("%+v has a value without its field", m)
			}
		}
		// What is not understood takes nothing from what is.
		beside, unknown := Parse(append([]byte("?\n"), datagram...))
		if beside != m || unknown == nil {
			t.Errorf("%q: got %+v (%v) alone and %+v beside another line", datagram, m, err, beside)
		}
	})
}
