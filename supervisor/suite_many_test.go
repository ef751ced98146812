package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"weak"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
)

func TestSoManyRestartsAndNotOneMore(t *testing.T) {
	lives := map[string]struct{ again, end string }{
		"one_for_one":  {"+b", "-c -a over:gave_up:b"},
		"one_for_all":  {"-c -a +a +b +c", "-c -a over:gave_up:b"},
		"rest_for_one": {"-c +b +c", "-c -a over:gave_up:b"},
	}
	for strategy, life := range lives {
		for n := range 4 {
			sup := fmt.Sprintf("%s %d/1h", strategy, n)
			t.Run(sup, func(t *testing.T) {
				synctest.Test(t, scene{sup: sup, kids: "a; b; c", text: `
					start   => +a +b +c up` + repeated(n, `
					b fails => `+life.again) + `
					b fails => ` + life.end}.play)
			})
		}
	}
}

// many is a template of temporary children that end when quit is closed.
func many(nested bool, quit chan struct{}) func(any) child.Spec {
	run := child.Func(func(ctx context.Context) error {
		select {
		case <-quit:
		case <-ctx.Done():
		}
		return nil
	})
	return func(any) child.Spec {
		spec := child.Spec{Run: run, Restart: child.Temporary}
		if !nested {
			return spec
		}
		spec.Name, spec.Significant = "end", true
		return supervisor.Spec{AutoShutdown: supervisor.AnySignificant, Restart: child.Temporary, Children: []child.Specer{spec}}.ChildSpec()
	}
}

func TestThousandsAreCounted(t *testing.T) {
	for name, nested := range map[string]bool{"workers": false, "supervisors": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				quit := make(chan struct{})
				sup := start(t, supervisor.Spec{Name: "root", Intensity: never, Template: many(nested, quit)})
				count := func(children int) {
					t.Helper()
					want := supervisor.Count{Specs: 1, Active: children, Workers: children}
					if nested {
						want.Supervisors, want.Workers = children, 0
					}
					if n, err := sup.Ref().Count(); err != nil || n != want {
						t.Errorf("got %+v, %v, want %+v", n, err, want)
					}
					if list, err := sup.Ref().Children(); err != nil || len(list) != children {
						t.Errorf("got a list of %d, %v, want %d", len(list), err, children)
					}
				}
				count(0)
				for _, n := range []int{1000, 2000} {
					for range 1000 {
						if _, err := sup.Ref().StartChild(context.Background(), nil); err != nil {
							t.Fatal(err)
						}
					}
					count(n)
				}
				close(quit)
				synctest.Wait()
				count(0)
				if err := sup.Stop(context.Background()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// What a temporary child was made of goes with it, when a few other things have
// happened: the machine's list of actions is used again and again.
func TestNothingIsKeptOfATemporaryChild(t *testing.T) {
	type large [1 << 20]byte
	for _, how := range []string{"ends", "fails", "panics", "is terminated"} {
		for _, dynamic := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, dynamic: %t", how, dynamic), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx := context.Background()
					spec := supervisor.Spec{Name: "root", Intensity: never}
					if dynamic {
						spec.Template = func(arg any) child.Spec { return arg.(func() child.Spec)() }
					}
					sup := start(t, spec)
					quit := make(chan string)
					add := func() (weak.Pointer[large], error) {
						arg := new(large)
						make := func() child.Spec {
							return child.Spec{Name: "a", Restart: child.Temporary, Run: child.Func(func(ctx context.Context) error {
								select {
								case how := <-quit:
									arg[0]++
									return end(how)
								case <-ctx.Done():
									return nil
								}
							})}
						}
						if dynamic {
							_, err := sup.Ref().StartChild(ctx, make)
							return weak.Make(arg), err
						}
						_, err := sup.Ref().StartChild(ctx, make())
						return weak.Make(arg), err
					}
					arg, err := add()
					if err != nil {
						t.Fatal(err)
					}
					if how == "is terminated" {
						err = sup.Ref().TerminateChild(ctx, "a")
					} else {
						quit <- how
					}
					synctest.Wait()
					for range 20 {
						other := child.Spec{Name: "other", Restart: child.Temporary, Run: child.Func(idle)}
						var arg any = other
						if dynamic {
							arg = other.ChildSpec
						}
						_, failed := sup.Ref().StartChild(ctx, arg)
						err = errors.Join(err, failed, sup.Ref().TerminateChild(ctx, "other"))
					}
					for range 3 {
						runtime.GC()
					}
					if err != nil || arg.Value() != nil {
						t.Errorf("its argument is kept, or %v", err)
					}
					_ = sup.Stop(ctx)
				})
			})
		}
	}
}
