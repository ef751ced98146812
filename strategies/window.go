package strategies

import "time"

// firstRing is how many entries a window makes room for at its first restart,
// and the size below which it does not shrink: giving back less than a cache
// line is not worth an allocation.
const firstRing = 4

// A Window counts the restarts that lie within the period of an [Intensity] and
// says whether there may be one more. It slides and is exact. Its rule is
// OTP's: an attempt is counted before it is made, and is allowed if the
// attempts in the window, this one included, are not more than the limit.
//
// The zero value is an empty window, ready for use. A window must not be copied
// once used, and belongs to one goroutine at a time. It holds one time for each
// restart within the period, never more than the limit allows; so its memory
// does not depend on how many restarts it has ever seen, and a call costs the
// same, amortised, whatever the limit.
type Window struct {
	// ring holds the times of the n restarts, oldest first, from head on and
	// around its end. Its length is its capacity. It doubles when full, up to
	// the limit, and shrinks when three quarters of it are empty.
	ring []time.Duration
	head int
	n    int
}

// Allow reports whether there may be a restart at the time now, and counts it
// if so. A refused attempt is not counted, so that asking again later is
// answered as if it had not been asked before.
//
// The limit is meant to be the same at every call. If it changes, the new one
// applies to what was counted under the old one, as it does in OTP; what a
// shorter period has let go is gone. A time before that of the newest restart
// is taken as equal to it. [Unlimited] counts nothing; a limit that is not
// valid refuses.
func (w *Window) Allow(now time.Duration, limit Intensity) bool {
	if limit.Period == 0 {
		limit = limit.WithDefaults()
	}
	if limit.Restarts <= 0 {
		return limit.Restarts == Unlimited
	}
	now = w.notBeforeNewest(now)
	w.forget(now, limit.Period)
	if w.n >= limit.Restarts {
		return false
	}
	w.push(now, limit.Restarts)
	return true
}

// Count returns how many of the restarts that were allowed lie within the
// period at the time now. It changes nothing, and takes a time that grows with
// the logarithm of the limit.
func (w *Window) Count(now time.Duration, limit Intensity) int {
	limit = limit.WithDefaults()
	now = w.notBeforeNewest(now)
	// The entries are in order of time: find the oldest that still counts by
	// halving.
	low, high := 0, w.n
	for low < high {
		middle := int(uint(low+high) / 2)
		if counts(w.at(middle), now, limit.Period) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return w.n - low
}

// counts reports whether a restart at the time then is within the period at the
// time now, which is not before it. The difference is taken without a sign,
// because that of two int64 may not fit in a third.
func counts(then, now, period time.Duration) bool {
	return uint64(now)-uint64(then) <= uint64(max(period, 0))
}

// at returns the i-th oldest entry, for i from 0 to n-1.
func (w *Window) at(i int) time.Duration {
	i += w.head
	if i >= len(w.ring) {
		i -= len(w.ring)
	}
	return w.ring[i]
}

// notBeforeNewest keeps the entries in order of time even if the clock is not,
// on which everything else here relies.
func (w *Window) notBeforeNewest(now time.Duration) time.Duration {
	if w.n == 0 {
		return now
	}
	return max(now, w.at(w.n-1))
}

// forget drops the entries that no longer count, and the memory they leave
// behind if it is much.
func (w *Window) forget(now, period time.Duration) {
	for w.n > 0 && !counts(w.ring[w.head], now, period) {
		w.n--
		if w.head++; w.head == len(w.ring) {
			w.head = 0
		}
	}
	// At a quarter, not at half: or a window that swings about the half would
	// move house at every call.
	if len(w.ring) > firstRing && w.n <= len(w.ring)/4 {
		w.resize(max(firstRing, 2*w.n))
	}
}

// push appends an entry. Only a window that holds less than limit entries is
// given another.
func (w *Window) push(now time.Duration, limit int) {
	if w.n == len(w.ring) {
		w.resize(w.roomFor(limit))
	}
	i := w.head + w.n
	if i >= len(w.ring) {
		i -= len(w.ring)
	}
	w.ring[i] = now
	w.n++
}

// roomFor returns the next size of a full ring: twice what it was, but no more
// than can ever be used.
func (w *Window) roomFor(limit int) int {
	return min(max(firstRing, 2*len(w.ring)), limit)
}

// resize moves the entries to the start of a ring of that size, which must have
// room for them.
func (w *Window) resize(size int) {
	ring := make([]time.Duration, size)
	end := min(w.head+w.n, len(w.ring))
	copied := copy(ring, w.ring[w.head:end])
	copy(ring[copied:], w.ring[:w.n-copied])
	w.ring, w.head = ring, 0
}
