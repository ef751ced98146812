//go:build unix

package process_test

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/coppice-go/coppice/child/process/internal/spawn"
)

// BenchmarkSpawn is a start and the wait for the end of a program that does
// nothing, while our own program has a number of descriptors open; those that
// the other one gets are the last of them. The first start comes before, as in
// a program that starts its children when it starts.
func BenchmarkSpawn(b *testing.B) {
	path, err := exec.LookPath("true")
	if err != nil {
		b.Skip("it needs the program true: ", err)
	}
	ours(b, path, 0)
	for _, n := range []int{0, 15000} {
		b.Run(fmt.Sprintf("descriptors=%d", n), func(b *testing.B) {
			last := open(b, n)
			b.Run("coppice", func(b *testing.B) {
				for b.Loop() {
					ours(b, path, int(last.Fd()))
				}
			})
			b.Run("osexec", func(b *testing.B) {
				for b.Loop() {
					cmd := exec.Command(path)
					cmd.Stdin, cmd.Stdout, cmd.Stderr = last, last, last
					if err := cmd.Run(); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

func ours(b *testing.B, path string, file int) {
	b.Helper()
	pid, pidfd, err := spawn.Start(&spawn.Attr{
		Path: path, Args: []string{"true"}, Env: os.Environ(), Files: []int{file, file, file},
	})
	if err != nil {
		b.Fatal(err)
	}
	if pidfd >= 0 {
		_ = syscall.Close(pidfd)
	}
	if _, err := syscall.Wait4(pid, nil, 0, nil); err != nil {
		b.Fatal(err)
	}
}

// open opens n files and one more, which it returns.
func open(b *testing.B, n int) (last *os.File) {
	b.Helper()
	for range n + 1 {
		f, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
		if err != nil {
			b.Skip("it needs more open files than are allowed: ", err)
		}
		b.Cleanup(func() { f.Close() })
		last = f
	}
	return last
}
