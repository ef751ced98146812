package supervisortest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
	. "github.com/coppice-go/coppice/supervisor/supervisortest"
)

func wantText(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

func TestAMismatchShowsWhatWasExpectedWhatCameAndWhereTheyDiffer(t *testing.T) {
	bubble(t, shop(fails(1, 300*time.Millisecond)), func(t *testing.T, sup *supervisor.Supervisor) {
		w := Watch(t.Context(), sup)
		err := w.Expect(Started(reader), Exited(reader, child.Panicked), Restarted(reader))
		wantText(t, err, `supervisortest: waiting for 2 of 3, shop/ingest/reader exited: panic: it did not come in time (10s)
expected, in this order:
    1 shop/ingest/reader started
>   2 shop/ingest/reader exited: panic
    3 shop/ingest/reader started again
came:
      +0s shop/ingest starting #1
    1 +0s shop/ingest/reader started #1
      +0s shop/ingest started #1
      +300ms shop/ingest/reader exited #1: error: no line, restarts in 1s
      +1.3s shop/ingest/reader started #2`)

		err = w.ExpectExactly(Starting("shop/ingest"), Started("shop/ingest"))
		wantText(t, err, `supervisortest: waiting for 2 of 2, shop/ingest started: another event came
expected, in this order and nothing else:
    1 shop/ingest starting
>   2 shop/ingest started
came:
    1 +0s shop/ingest starting #1
>     +0s shop/ingest/reader started #1
      +0s shop/ingest started #1
      +300ms shop/ingest/reader exited #1: error: no line, restarts in 1s
      +1.3s shop/ingest/reader started #2`)

		err = WatchAfter(t.Context(), sup, 4).ExpectExactly()
		wantText(t, err, `supervisortest: all came, but then: another event came
expected, in this order and nothing else:
      nothing
came:
>     +0s shop/ingest/reader started #2`)

		err = WatchAfter(t.Context(), sup, 5).ExpectExactly(Matcher{})
		wantText(t, err, `supervisortest: waiting for 1 of 1, any event: it did not come in time (10s)
expected, in this order and nothing else:
>   1 any event
came:
      nothing`)

		var mismatch *MismatchError
		if !errors.As(err, &mismatch) || len(mismatch.Want) != 1 || len(mismatch.Met) != 0 || !mismatch.Exactly {
			t.Errorf("got %+v", mismatch)
		}
	})
}

func TestAMismatchShowsOnlyTheLastOfManyEvents(t *testing.T) {
	bubble(t, shop(idle), func(t *testing.T, sup *supervisor.Supervisor) {
		for range 100 {
			want(t, sup.Find(reader).Bounce(t.Context()), nil)
		}
		w := Watch(t.Context(), sup)
		err := w.Expect(Started("shop/ingest"), Killed(reader))
		var mismatch *MismatchError
		if !errors.As(err, &mismatch) || len(mismatch.Got) != 303 {
			t.Fatalf("got %v", err)
		}
		mismatch.Got = mismatch.Got[:45]
		mismatch.Got = append(mismatch.Got[:4:4], mismatch.Got[43:]...)
		wantText(t, err, `supervisortest: waiting for 2 of 2, shop/ingest/reader killed: it did not come in time (10s)
expected, in this order:
    1 shop/ingest started
>   2 shop/ingest/reader killed
came:
      +0s shop/ingest starting #1
      +0s shop/ingest/reader started #1
    1 +0s shop/ingest started #1
      +0s shop/ingest/reader stopping #1: bounce
      +0s shop/ingest/reader exited #14: normal, restarts
      +0s shop/ingest/reader started #15`)
	})
	synctest.Test(t, func(t *testing.T) {
		sup, err := quiet.New(shop(idle))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		want(t, Watch(ctx, sup).Expect(Matcher{}), context.Canceled)
		want(t, Watch(ctx, sup).ExpectExactly(), context.Canceled)
	})
}
