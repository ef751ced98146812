package main

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
)

func all(string) bool { return true }

func texts(j *journal, wanted func(string) bool, last int) []string {
	var found []string
	for l := range j.lines(context.Background(), wanted, last, false) {
		found = append(found, l.Text)
	}
	return found
}

func TestTheLastLinesThatAreWanted(t *testing.T) {
	t.Parallel()
	j := newJournal()
	for i, name := range []string{"a", "b", "a", "b", "b"} {
		j.add(line{Name: name, Text: strconv.Itoa(i)})
	}
	isA := func(name string) bool { return name == "a" }
	for name, tt := range map[string]struct{ got, want []string }{
		"all of all":        {texts(j, all, 10), []string{"0", "1", "2", "3", "4"}},
		"two of all":        {texts(j, all, 2), []string{"3", "4"}},
		"one of one":        {texts(j, isA, 1), []string{"2"}},
		"more of one":       {texts(j, isA, 10), []string{"0", "2"}},
		"none":              {texts(j, all, 0), nil},
		"none of an empty":  {texts(newJournal(), all, 5), nil},
		"those of somebody": {texts(j, func(n string) bool { return n == "c" }, 5), nil},
	} {
		if !slices.Equal(tt.got, tt.want) {
			t.Errorf("%s: %q, want %q", name, tt.got, tt.want)
		}
	}
}

func TestAJournalKeepsALimitedNumberOfLines(t *testing.T) {
	t.Parallel()
	j := newJournal()
	for i := range kept + 10 {
		j.add(line{Text: strconv.Itoa(i)})
	}
	got := texts(j, all, kept*2)
	if len(got) != kept || got[0] != "10" || got[kept-1] != strconv.Itoa(kept+9) {
		t.Errorf("there are %d lines, from %s to %s", len(got), got[0], got[len(got)-1])
	}
}

func TestWhoFollowsIsToldWhatItMissed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		ctx, cancel := context.WithCancel(t.Context())
		var got []line
		slow, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			for l := range j.lines(ctx, all, 0, true) {
				got = append(got, l)
				<-slow
			}
		}()
		synctest.Wait()
		j.add(line{Text: "first"})
		synctest.Wait() // it has the first and is slow
		for i := range kept + 5 {
			j.add(line{Text: strconv.Itoa(i)})
		}
		close(slow)
		synctest.Wait()
		j.add(line{Text: "last"})
		synctest.Wait()
		cancel()
		<-done
		if len(got) != kept+3 || got[0].Text != "first" || got[1].Missed != 5 || got[2].Text != "5" || got[kept+2].Text != "last" {
			t.Errorf("it got %d lines: %v %v %v ... %v", len(got), got[0], got[1], got[2], got[len(got)-1])
		}
	})
}

func TestWhatIsThereAtTheEndIsStillTold(t *testing.T) {
	t.Parallel()
	for range 30 { // which of two things that are ready comes first is chance
		j := newJournal()
		j.add(line{Text: "first"})
		ctx, cancel := context.WithCancel(t.Context())
		var got []string
		for l := range j.lines(ctx, all, 1, true) {
			if got = append(got, l.Text); l.Text == "first" {
				j.add(line{Text: "last"})
				cancel()
			}
		}
		cancel()
		if !slices.Equal(got, []string{"first", "last"}) {
			t.Fatalf("it got %q", got)
		}
	}
}
