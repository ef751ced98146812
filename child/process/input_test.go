//go:build unix

package process_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child/process"
)

func TestStandardInputIsEmpty(t *testing.T) {
	needTools(t, "cat")
	var out lines
	within(t, 10*time.Second, "reading the end", func() {
		if err := shell(t, "cat; echo over", &out).Serve(t.Context()); err != nil {
			t.Error(err)
		}
	})
	if out.String() != "over\n" {
		t.Errorf("got %q", out.String())
	}
}

func TestAPipedInputIsReadToItsEnd(t *testing.T) {
	needTools(t, "cat")
	var out lines
	r := serving(t, process.Command{Path: "cat", Stdin: process.Input{From: process.Piped}, Stdout: process.Output{Writer: &out, Raw: true}})
	text := strings.Repeat("something to read\n", 10_000)
	if n, err := r.Write([]byte(text)); err != nil || n != len(text) {
		t.Errorf("wrote %d: %v", n, err)
	}
	if err := r.CloseInput(); err != nil {
		t.Error(err)
	}
	if err := r.end(); err != nil || out.String() != text {
		t.Errorf("got %v and %d bytes of %d", err, len(out.String()), len(text))
	}
	if _, err := r.Write([]byte("more")); !errors.Is(err, process.ErrEnded) {
		t.Errorf("after the end: %v", err)
	}
}

func TestAWriteToAProgramThatDoesNotReadEnds(t *testing.T) {
	needTools(t, "sleep")
	sleeper := process.Command{Path: "sleep", Args: []string{"300"}, Stdin: process.Input{From: process.Piped}}
	big := make([]byte, 1<<20)
	t.Run("with the deadline", func(t *testing.T) {
		r := serving(t, sleeper)
		if err := r.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		within(t, 10*time.Second, "the write", func() {
			if n, err := r.Write(big); !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n == len(big) {
				t.Errorf("wrote %d: %v", n, err)
			}
		})
		if !r.Alive() {
			t.Error("it did harm")
		}
	})
	t.Run("with the program", func(t *testing.T) {
		r := serving(t, sleeper)
		wrote := make(chan error)
		go func() { _, err := r.Write(big); wrote <- err }()
		time.Sleep(50 * time.Millisecond) // it is stuck by then
		if err := r.ended(); err != nil {
			t.Error(err)
		}
		within(t, 10*time.Second, "the write", func() {
			if err := <-wrote; !errors.Is(err, process.ErrEnded) {
				t.Errorf("got %v", err)
			}
		})
	})
}

// It is what a writer sees in the moment before the exit is seen.
func TestAWriteToAProgramThatHasClosedItsInputSaysThatItIsOver(t *testing.T) {
	needTools(t, "sleep")
	var out lines
	c := shell(t, "exec 0<&-; echo closed; exec sleep 300", &out)
	c.Stdin.From = process.Piped
	r := serving(t, c)
	await(t, &out, "closed")
	if _, err := r.Write([]byte("x")); err != process.ErrEnded || !r.Alive() {
		t.Errorf("got %v", err)
	}
}

func TestWithoutAPipeThereIsNoInput(t *testing.T) {
	needTools(t, "sleep")
	r := serving(t, process.Command{Path: "sleep", Args: []string{"300"}})
	_, err := r.Write([]byte("x"))
	for _, err := range []error{err, r.CloseInput(), r.SetWriteDeadline(time.Now())} {
		if !errors.Is(err, process.ErrNoInput) {
			t.Errorf("got %v", err)
		}
	}
}
