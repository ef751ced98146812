//go:build unix

package process_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/coppice-go/coppice/child/process"
)

// prints is a command that prints the file.
func prints(t *testing.T, content []byte, o process.Output) process.Command {
	t.Helper()
	needTools(t, "cat")
	file := filepath.Join(t.TempDir(), "output")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return process.Command{Path: "cat", Args: []string{file}, Stdout: o}
}

// record is one line of the log.
type record struct {
	Msg, Stream, Line string
	Partial           bool
}

// output are the records of what was printed.
func (r *running) output() (all []record) {
	r.t.Helper()
	for dec := json.NewDecoder(strings.NewReader(r.log.String())); dec.More(); {
		var one record
		if err := dec.Decode(&one); err != nil {
			r.t.Fatal(err)
		}
		if one.Msg == "output" {
			all = append(all, one)
		}
	}
	return all
}

// listened are the lines of a listener who was there all the time.
func listened(t *testing.T, c process.Command) (all []process.Line) {
	t.Helper()
	r := serving(t, c)
	for line := range r.Lines(t.Context(), "") {
		all = append(all, line)
	}
	return all
}

func TestALineIsWholeOrMarkedAsPartial(t *testing.T) {
	for name, tt := range map[string]struct {
		printed string
		want    []record
	}{
		"nothing":                         {"", nil},
		"a line":                          {"a\n", []record{{Line: "a"}}},
		"a line and one without its end":  {"a\nb", []record{{Line: "a"}, {Line: "b", Partial: true}}},
		"empty lines":                     {"\n\n", []record{{}, {}}},
		"an empty line and nothing after": {"a\n\n", []record{{Line: "a"}, {}}},
		"a line for a typewriter":         {"x\r\n", []record{{Line: "x"}}},
		"a bar that grows":                {"10%\r20%\r", []record{{Line: `10%\r20%`, Partial: true}}},
		"a bar that grows, and its end":   {"10%\r20%\r\n", []record{{Line: `10%\r20%`}}},
	} {
		t.Run(name, func(t *testing.T) {
			c := prints(t, []byte(tt.printed), process.Output{})
			r := serving(t, c)
			if err := r.end(); err != nil {
				t.Fatal(err)
			}
			for i := range tt.want {
				tt.want[i].Msg, tt.want[i].Stream = "output", "stdout"
			}
			if got := r.output(); !slices.Equal(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestALongLineComesInMarkedPieces(t *testing.T) {
	long := strings.Repeat("x", 200_000)
	printed := long + "\n" + strings.Repeat("1\n", 20_000) + "end"
	var out lines
	if err := prints(t, []byte(printed), process.Output{Writer: &out}).Serve(t.Context()); err != nil {
		t.Fatal(err)
	}
	arrives(t, &out, printed+"\n")
	var got string
	for i, line := range listened(t, prints(t, []byte(long+"\nend"), process.Output{To: process.Keep})) {
		switch {
		case len(line.Text) > 64<<10:
			t.Errorf("piece %d has %d bytes", i, len(line.Text))
		case line.Missed > 0:
			t.Skip("the listener was not there in time")
		}
		if got += line.Text; !line.Split {
			got += "\n"
		}
		if line.Partial != (line.Text == "end") {
			t.Errorf("piece %d: partial is %t", i, line.Partial)
		}
	}
	if !strings.HasSuffix(long+"\nend\n", got) { // what lies further back than the tail is lost before one listens
		t.Errorf("%d bytes are not what was printed", len(got))
	}
}

func TestEveryByteArrivesAsItWasPrinted(t *testing.T) {
	binary := make([]byte, 64<<10)
	for i := range binary {
		binary[i] = byte(i*7 + i>>8)
	}
	random, err := os.Open("/dev/urandom")
	if err == nil {
		_, err = random.Read(binary[:4096])
		_ = random.Close()
	}
	if err != nil {
		t.Log("without chance: ", err)
	}
	for _, raw := range []bool{false, true} {
		var out lines
		if err := prints(t, binary, process.Output{Writer: &out, Raw: raw}).Serve(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := string(binary)
		if !raw && !strings.HasSuffix(want, "\n") {
			want += "\n" // which a writer of lines is given
		}
		arrives(t, &out, want)
	}
	r := serving(t, prints(t, binary, process.Output{}))
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	for _, line := range r.output() {
		if !utf8.ValidString(line.Line) || strings.ContainsFunc(line.Line, func(c rune) bool { return c < ' ' || c == 0x7f }) {
			t.Errorf("logged: %q", line.Line)
		}
	}
}

// calls are the calls that a writer gets.
type calls struct {
	lines
	all []string
}

func (c *calls) Write(b []byte) (int, error) {
	c.mu.Lock()
	c.all = append(c.all, string(b))
	c.mu.Unlock()
	return c.lines.Write(b)
}

func (c *calls) made() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.all)
}

func TestACharacterIsNotCutInTwo(t *testing.T) {
	for _, shift := range []int{0, 1, 2} {
		long := strings.Repeat("x", shift) + strings.Repeat("€", 100_000) // three bytes each
		var calls calls
		if err := prints(t, []byte(long), process.Output{Writer: &calls}).Serve(t.Context()); err != nil {
			t.Fatal(err)
		}
		arrives(t, &calls.lines, long+"\n")
		pieces := calls.made()
		for i, piece := range pieces {
			if !utf8.ValidString(piece) {
				t.Errorf("piece %d of %d begins %.8q and ends %.8q", i, len(pieces), piece, piece[len(piece)-8:])
			}
		}
		if strings.Join(pieces, "") != long+"\n" || len(pieces) < 4 {
			t.Errorf("%d pieces are not what was printed", len(pieces))
		}
	}
	c := shell(t, `for b in 342 202 254; do printf "\\$b"; sleep 0.02; done; echo`, nil)
	c.Stdout = process.Output{}
	r := serving(t, c)
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if got := r.output(); len(got) != 1 || got[0].Line != "€" {
		t.Errorf("byte by byte it is %+v", got)
	}
}

func TestLoggedOutputIsRedactedAndCannotForgeALine(t *testing.T) {
	printed := "\x1b[2J\x1b]0;title\a clean\n" +
		"password=hunter2 and more\n" +
		"a\x00b\x7f\u202ec\u0085d\n" +
		`{"msg":"output","line":"forged"}` + "\n"
	r := serving(t, prints(t, []byte(printed), process.Output{}))
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	got := r.output()
	if len(got) != 4 {
		t.Fatalf("%d lines: %+v", len(got), got)
	}
	for i, want := range []string{
		`\x1b[2J\x1b]0;title\a clean`, "", `a\x00b\x7f\u202ec\u0085d`, `{"msg":"output","line":"forged"}`,
	} {
		if want != "" && got[i].Line != want {
			t.Errorf("got %q, want %q", got[i].Line, want)
		}
	}
	if all := r.log.String(); strings.Contains(all, "hunter2") || bytes.ContainsAny([]byte(all), "\x1b\a\x00\x7f") {
		t.Errorf("the log has %q", all)
	}
}

func TestAWriterGetsEachLineInOneCall(t *testing.T) {
	var calls calls
	if err := prints(t, []byte("one\ntwo\n\nthree"), process.Output{Writer: &calls}).Serve(t.Context()); err != nil {
		t.Fatal(err)
	}
	arrives(t, &calls.lines, "one\ntwo\n\nthree\n")
	if got, want := calls.made(), []string{"one\n", "two\n", "\n", "three\n"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
