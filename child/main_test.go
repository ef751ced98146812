package child_test

import (
	"context"
	"errors"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/coppice-go/coppice/child"
)

// crashVariable makes the test binary a program whose only run ends it.
const crashVariable = "CHILD_TEST_CRASH"

func TestMain(m *testing.M) {
	if os.Getenv(crashVariable) != "" {
		var exit child.Exit
		child.Serve(context.Background(), child.Func(fallIntoThePit), &exit, true)
		os.Exit(0) // which the test takes for a failure: nothing crashed
	}
	os.Exit(m.Run())
}

// errPlain is an error without anything in it.
var errPlain = errors.New("no more disk")

// serve runs s once in a goroutine of its own, as a supervisor does, and
// returns how that ended, also after a Goexit.
func serve(s child.Service) (exit child.Exit) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		child.Serve(context.Background(), s, &exit, false)
	}()
	<-done
	return exit
}

// returns is a service that returns err.
func returns(err error) child.Service {
	return child.Func(func(context.Context) error { return err })
}

// panics is a service that panics with v.
func panics(v any) child.Service {
	return child.Func(func(context.Context) error { panic(v) })
}

// live is something that is in use: a map that changes all the time, beside a
// secret. To look into it is a data race, and to show it tells the secret.
type live struct {
	Password string
	Hits     map[string]int
}

const password = "hunter2"

// newLive returns a live value that is in use until the test ends.
func newLive(t *testing.T) *live {
	t.Helper()
	l := &live{Password: password, Hits: map[string]int{}}
	stop := make(chan struct{})
	var using sync.WaitGroup
	using.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
				l.Hits[strconv.Itoa(n%64)]++
			}
		}
	})
	t.Cleanup(func() {
		close(stop)
		using.Wait()
	})
	return l
}

// Serve makes a live value a service.
func (l *live) Serve(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// liveError is an error that holds something live by value.
type liveError struct{ in *live }

func (liveError) Error() string { return "it is in use" }
