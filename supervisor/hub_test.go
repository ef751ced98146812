package supervisor

import (
	"context"
	"sync"
	"testing"
)

// fill appends n events, numbered by their incarnation.
func fill(h *hub, n int) {
	for range n {
		h.mu.Lock()
		r := h.slot()
		*r = record{seq: r.seq, incarnation: r.seq}
		h.tell()
		h.mu.Unlock()
		h.announce()
	}
}

func TestReadersSeeEveryEventInOrderOrHowManyTheyMissed(t *testing.T) {
	h := new(hub)
	h.init()
	const events = 300_000
	var readers sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			r := h.reader(0)
			defer r.close()
			for want := uint64(1); want <= events; {
				for _, got := range r.batch() {
					switch {
					case got.what == missed && got.restarts > 0:
						want += got.restarts
					case got.seq != want || got.incarnation != want:
						t.Errorf("got event %d (%d), want %d", got.seq, got.incarnation, want)
						return
					default:
						want++
					}
				}
				if !r.behind() {
					r.wait(context.Background(), done)
				}
			}
		})
	}
	fill(h, events)
	close(done)
	readers.Wait()
	if h.chunks > held+4 {
		t.Errorf("%d chunks are held", h.chunks)
	}
}

func TestAReaderThatStallsKeepsNothingButItsChunk(t *testing.T) {
	h := new(hub)
	h.init()
	fill(h, 10)
	r := h.reader(0)
	first := r.batch()
	fill(h, 100*chunkSize)
	for i, got := range first {
		if got.seq != uint64(i)+1 || got.incarnation != got.seq {
			t.Errorf("event %d was overwritten by %d while it was read", i+1, got.incarnation)
		}
	}
	if rest := r.batch(); len(rest) == 0 || rest[0].seq != 11 {
		t.Errorf("the rest of its chunk is gone")
	}
	lost := r.batch()
	if len(lost) != 1 || lost[0].what != missed || lost[0].restarts+chunkSize != h.oldest.Load().first.Load()-1 {
		t.Errorf("got %+v", lost)
	}
	r.close()
}

func TestAReaderBeginsWithTheOldestThatIsHeld(t *testing.T) {
	h := new(hub)
	h.init()
	fill(h, held*chunkSize)
	var writer sync.WaitGroup
	defer writer.Wait()
	done := make(chan struct{})
	defer close(done)
	writer.Go(func() {
		for !isClosed(done) {
			fill(h, chunkSize)
		}
	})
	for range 1_000_000 {
		r := h.reader(0)
		first, last := r.chunk.first.Load(), h.last.Load()
		r.close()
		if first+(held-2)*chunkSize > last+1 {
			t.Fatalf("it begins with %d of %d", first, last)
		}
	}
}
