package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	visitors = 4                    // who ask at the same time
	pause    = 5 * time.Millisecond // between two questions of one of them
)

// tally is what the visitors have seen.
type tally struct {
	right, failed, wrong int
	err                  error // the first wrong answer
}

// client is some visitors that ask until they are stopped.
type client struct {
	url    string
	http   *http.Client
	cancel context.CancelFunc
	all    sync.WaitGroup

	mu    sync.Mutex // protects all below
	seen  tally
	given map[visit]bool // the answers so far
}

// visit is an answer: the count n of an era.
type visit struct {
	era string
	n   int64
}

func newClient(url string) *client {
	ctx, cancel := context.WithCancel(context.Background())
	c := &client{
		url: url, cancel: cancel, given: map[visit]bool{},
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: visitors}, Timeout: 5 * time.Second},
	}
	for range visitors {
		c.all.Go(func() { c.visits(ctx) })
	}
	return c
}

// stop ends the visits and returns what was seen.
func (c *client) stop() tally {
	c.cancel()
	c.all.Wait()
	c.http.CloseIdleConnections()
	return c.tally()
}

func (c *client) tally() tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen
}

// answered returns when there was a right answer to a question that was asked
// after the call: of more than one for each visitor, one is.
func (c *client) answered(ctx context.Context) error {
	for enough := c.tally().right + visitors; c.tally().right <= enough; {
		if err := wait(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// visits is the life of one visitor.
func (c *client) visits(ctx context.Context) {
	var h history
	for wait(ctx, pause) == nil {
		v, failure, err := c.visit(ctx)
		if ctx.Err() != nil {
			return
		}
		if failure == nil && err == nil {
			err = h.check(v)
		}
		c.count(v, failure, err)
	}
}

// visit asks once. That there was no answer is a failure, and no error: that
// happens while a part is down.
func (c *client) visit(ctx context.Context) (v visit, failure, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return v, nil, err
	}
	response, failure := c.http.Do(request)
	if failure != nil {
		return v, failure, nil
	}
	defer response.Body.Close()
	body, failure := io.ReadAll(response.Body)
	if failure != nil {
		return v, failure, nil
	}
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return v, fmt.Errorf("status %s", response.Status), nil
	default:
		return v, nil, fmt.Errorf("status %s", response.Status)
	}
	if n, err := fmt.Sscanf(string(body), "%s %d\n", &v.era, &v.n); n != 2 || v.n < 1 {
		return v, nil, fmt.Errorf("no count in %q: %w", body, err)
	}
	return v, nil, nil
}

// count enters an answer. No two visits have the same number.
func (c *client) count(v visit, failure, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if failure != nil {
		c.seen.failed++
		return
	}
	if err == nil && c.given[v] {
		err = fmt.Errorf("%d of %s was given twice", v.n, v.era)
	}
	if err != nil {
		if c.seen.wrong++; c.seen.err == nil {
			c.seen.err = fmt.Errorf("wrong answer: %w", err)
		}
		return
	}
	c.given[v] = true
	c.seen.right++
}

// history is what one visitor was answered, one after the other.
type history struct {
	last visit
	gone map[string]bool // the eras that are over
}

// check holds an answer against those before it: within an era the count only
// goes up, and an era that has ended does not come back.
func (h *history) check(v visit) error {
	if h.gone == nil {
		h.gone = map[string]bool{}
	}
	switch {
	case h.gone[v.era]:
		return fmt.Errorf("the era %s is over", v.era)
	case v.era != h.last.era:
		h.gone[h.last.era] = true
	case v.n <= h.last.n:
		return fmt.Errorf("%d of %s after %d", v.n, v.era, h.last.n)
	}
	h.last = v
	return nil
}
