//go:build linux

package process_test

import (
	"fmt"
	"os"
	"os/user"
	"strings"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child/process"
)

func TestEachPieceHasItsTimeAndANumberAmongThoseOfAllStreams(t *testing.T) {
	c := shell(t, "echo a; sleep 0.1; echo b >&2; sleep 0.1; printf c; read x", new(lines))
	c.Stdin.From, c.Stdout.Writer, c.Stderr.Writer = process.Piped, new(lines), new(lines)
	began := time.Now()
	r := serving(t, c)
	comesTrue(t, "two lines", func() bool { return len(r.Last()) == 2 })
	if err := r.CloseInput(); err != nil {
		t.Fatal(err)
	}
	_ = r.end()
	got, last := "", began
	for _, l := range r.Last() {
		got += fmt.Sprintf("%d %s %s %v;", l.Seq, l.Stream, l.Text, l.Partial)
		if l.Time.Before(last.Truncate(time.Microsecond)) || l.Time.After(time.Now()) {
			t.Errorf("%q came at %v, after %v", l.Text, l.Time, last)
		}
		last = l.Time
	}
	if want := "1 stdout a false;2 stderr b false;3 stdout c true;"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if took := last.Sub(began); took < 150*time.Millisecond {
		t.Errorf("the last one came after %v", took)
	}
}

func TestWithAnotherUserTheVariablesAreThatUsersUnlessTheyAreGiven(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root becomes another")
	}
	const name = "daemon"
	who, err := user.Lookup(name)
	if err != nil {
		t.Skip(err)
	}
	passwd, _ := os.ReadFile("/etc/passwd")
	_, line, _ := strings.Cut("\n"+string(passwd), "\n"+name+":")
	line, _, _ = strings.Cut(line, "\n")
	login := line[strings.LastIndexByte(line, ':')+1:]
	var out lines
	c := shell(t, `echo "$HOME $USER $LOGNAME $SHELL $(id -u)"`, &out)
	c.User.Name, c.Env = name, []string{"LOGNAME=given"}
	if err := c.Serve(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%s %s given %s %s\n", who.HomeDir, name, login, who.Uid); out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
