package childtest_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/childtest"
)

// A service that takes a stop for an error is told so, and why that matters.
func ExampleTest() {
	newService := func() child.Service {
		return child.Func(func(ctx context.Context) error {
			<-ctx.Done()
			return errors.New("listener closed")
		})
	}
	err := childtest.Test(newService, childtest.Options{Watch: time.Millisecond})
	fmt.Println(err)
	// Output:
	// childtest: answer: Serve answered a stop with "listener closed"; anything else is reported as an error whenever the tree is stopped
}
