package child_test

import (
	"context"
	"sync"
	"testing"

	"github.com/coppice-go/coppice/child"
)

// listener is a Runtime that hears beats.
type listener struct {
	recorder
	heart child.Heart
}

func (l *listener) Pulse() *child.Heart { return &l.heart }

func TestABeatIsTakenOnce(t *testing.T) {
	t.Parallel()
	l := &listener{}
	ctx := context.WithValue(t.Context(), child.RuntimeKey{}, child.Runtime(l))
	if l.heart.Take() {
		t.Error("it has beaten before the first beat")
	}
	for name, beat := range map[string]func(){
		"Beat":  func() { child.Beat(ctx) },
		"Pulse": child.Pulse(ctx).Beat,
		"both":  func() { child.Beat(ctx); child.Pulse(ctx).Beat() },
	} {
		beat()
		if !l.heart.Take() {
			t.Errorf("%s: it has not beaten", name)
		}
		if l.heart.Take() {
			t.Errorf("%s: it was taken twice", name)
		}
	}
}

func TestABeatThatNobodyHearsDoesNothing(t *testing.T) {
	t.Parallel()
	deaf := context.WithValue(t.Context(), child.RuntimeKey{}, child.Runtime(&recorder{}))
	for _, ctx := range []context.Context{t.Context(), deaf} {
		child.Beat(ctx)
		if h := child.Pulse(ctx); h != nil {
			t.Error("somebody listens")
		} else {
			h.Beat()
		}
	}
}

func TestABeatIsNotLostToALookAtTheSameTime(t *testing.T) {
	t.Parallel()
	var h child.Heart
	var beating sync.WaitGroup
	for range 4 {
		beating.Go(func() {
			for range 10_000 {
				h.Beat()
			}
		})
	}
	beating.Go(func() {
		for range 1000 {
			h.Take()
		}
		h.Beat()
	})
	beating.Wait()
	if !h.Take() {
		t.Error("the last beat was lost")
	}
}

// sinkHeart keeps the compiler from seeing that nobody looks.
var sinkHeart *child.Heart

// BenchmarkBeat: a beat in a hot loop, by one goroutine and by all at once, and
// with a look after every thousand.
func BenchmarkBeat(b *testing.B) {
	l := &listener{}
	ctx := context.WithValue(context.Background(), child.RuntimeKey{}, child.Runtime(l))
	b.Run("pulse", func(b *testing.B) {
		b.ReportAllocs()
		sinkHeart = child.Pulse(ctx)
		for n := 0; b.Loop(); n++ {
			if sinkHeart.Beat(); n%1000 == 0 {
				l.heart.Take()
			}
		}
	})
	b.Run("pulse/parallel", func(b *testing.B) {
		b.ReportAllocs()
		sinkHeart = child.Pulse(ctx)
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				sinkHeart.Beat()
			}
		})
	})
	b.Run("context", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			child.Beat(ctx)
		}
	})
}

func TestABeatAllocatesNothing(t *testing.T) {
	l := &listener{}
	ctx := context.WithValue(t.Context(), child.RuntimeKey{}, child.Runtime(l))
	h := child.Pulse(ctx)
	if n := testing.AllocsPerRun(1000, func() { h.Beat(); l.heart.Take(); child.Beat(ctx) }); n != 0 {
		t.Errorf("got %v allocations", n)
	}
}
