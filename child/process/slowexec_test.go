//go:build linux

package process_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/child/process/internal/spawn"
)

// slowly makes a program whose every execution takes two seconds longer, as on a
// file system that does not answer. Somebody else holds it up: this program
// may be what stands still.
func slowly(t *testing.T) (path string) {
	t.Helper()
	content, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Skip("it needs a program to copy: ", err)
	}
	path = makeFile(t, t.TempDir(), "slow", string(content), 0o755)
	scanner := player(t, nil, virusScanner, path)
	out, err := scanner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := scanner.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = scanner.Process.Kill(); _ = scanner.Wait() })
	var said [64]byte
	if n, _ := out.Read(said[:]); !strings.HasPrefix(string(said[:n]), "on") {
		t.Skipf("executions cannot be held up here: %s", said[:n])
	}
	return path
}

// holdUp is how long an execution is held up.
const holdUp = 2 * time.Second

var virusScanner = addRole("virusScanner", func(args []string) {
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_CONTENT|unix.FAN_CLOEXEC, unix.O_RDONLY|unix.O_CLOEXEC)
	orExit(err)
	orExit(unix.FanotifyMark(fd, unix.FAN_MARK_ADD, unix.FAN_OPEN_EXEC_PERM, unix.AT_FDCWD, args[0]))
	fmt.Println("on")
	buf := make([]byte, 4096)
	for {
		n, err := unix.Read(fd, buf)
		orExit(err)
		for event := buf[:n]; len(event) >= unix.FAN_EVENT_METADATA_LEN; event = event[binary.NativeEndian.Uint32(event):] {
			file := binary.NativeEndian.Uint32(event[16:])
			time.AfterFunc(holdUp, func() {
				answer := binary.NativeEndian.AppendUint32(binary.NativeEndian.AppendUint32(nil, file), unix.FAN_ALLOW)
				_, err := unix.Write(fd, answer)
				orExit(err)
				_ = unix.Close(int(file))
			})
		}
	}
})

func TestExecutionsThatHangHoldUpNoOther(t *testing.T) {
	needTools(t, "true")
	many := 4 * runtime.GOMAXPROCS(0)
	if !spawn.Vfork {
		if many = 1; runtime.GOMAXPROCS(0) == 1 {
			t.Skip("this build keeps a processor during an execution, and there is only one")
		}
		defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which would wait for the execution
	}
	slow := process.Command{Path: slowly(t)}
	began := time.Now()
	done := make(chan error)
	for range many {
		go func() { done <- slow.Serve(context.Background()) }()
	}
	time.Sleep(100 * time.Millisecond) // they hang by then
	for range 5 {
		if err := (process.Command{Path: "true"}).Serve(t.Context()); err != nil {
			t.Error(err)
		}
	}
	others := time.Since(began)
	for range many {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if took := time.Since(began); others > holdUp*4/5 || took < holdUp {
		t.Errorf("the others were done after %v of %v", others, took)
	}
}

func TestAnExecutionThatHangsDoesNotStopTheProgram(t *testing.T) {
	if !spawn.Vfork {
		t.Skip("this build starts processes as the system's library does, and the next garbage collection waits for them")
	}
	slow := process.Command{Path: slowly(t)}
	began := time.Now()
	done := make(chan error)
	go func() { done <- slow.Serve(context.Background()) }()
	time.Sleep(100 * time.Millisecond) // it hangs by then
	runtime.GC()
	collected := time.Since(began)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); collected > holdUp*4/5 || took < holdUp {
		t.Errorf("the garbage collection was done after %v of %v", collected, took)
	}
}
