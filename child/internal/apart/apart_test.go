package apart

import (
	"runtime"
	"testing"
)

func TestAPanicAndAGoexitAreTheCallers(t *testing.T) {
	for name, tt := range map[string]struct {
		f        func()
		panicked any
		returned bool
	}{
		"a return": {func() {}, nil, true},
		"a panic":  {func() { panic("x") }, "x", false},
		"a Goexit": {runtime.Goexit, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			var panicked any
			returned := false
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer func() { panicked = recover() }()
				Call(tt.f)
				returned = true
			}()
			<-done
			if panicked != tt.panicked || returned != tt.returned {
				t.Errorf("got %v, %v", panicked, returned)
			}
		})
	}
}
