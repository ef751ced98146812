package process

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/procfs"
)

func TestWhatEndedProcessesHaveUsedIsLostOnlyWhereNobodyWaited(t *testing.T) {
	type readings = map[identity]times
	parent, kid, other := identity{1, 1}, identity{2, 2}, identity{2, 3}
	for name, tt := range map[string]struct {
		before, now readings
		lost        time.Duration
	}{
		"nothing was known":               {nil, readings{parent: {5, 0}}, 0},
		"a child was waited for":          {readings{parent: {5, 0}, kid: {7, 1}}, readings{parent: {5, 8}}, 0},
		"a child was not":                 {readings{parent: {5, 0}, kid: {7, 1}}, readings{parent: {6, 0}}, 8},
		"its number was given to another": {readings{parent: {5, 0}, kid: {7, 0}}, readings{parent: {5, 0}, other: {1, 0}}, 7},
		"others were waited for too":      {readings{parent: {5, 0}, kid: {7, 0}}, readings{parent: {5, 20}}, 0},
	} {
		if got := lost(tt.before, tt.now); got != tt.lost {
			t.Errorf("%s: got %d, want %d", name, got, tt.lost)
		}
	}
}

func TestATreeIsReadParentsFirst(t *testing.T) {
	l := &look{groups: map[int]members{
		// 10 leads; 7 was started by 30, which has lost its parent; 99 has left.
		10: {{pid: 7, parent: 30, group: 10}, {pid: 30, parent: 1, group: 10}, {pid: 10, parent: 2, group: 10}, {pid: 11, parent: 10, group: 10}},
		99: {{pid: 5, parent: 99, group: 99}, {pid: 99, parent: 11, group: 99}},
		2:  {{pid: 2, parent: 1, group: 2}, {pid: 3, parent: 2, group: 2}, {pid: 1, parent: 0, group: 1}},
	}}
	place := map[int]int{}
	for i, m := range l.tree(10) {
		place[m.pid] = i
	}
	for _, pid := range []int{5, 7, 10, 11, 30, 99} {
		if _, ok := place[pid]; !ok {
			t.Errorf("%d is missing", pid)
		}
	}
	if len(place) != 6 || place[10] != 0 || place[7] < place[30] || place[99] < place[11] || place[5] < place[99] {
		t.Errorf("got %v", place)
	}
}

func TestDescriptorsThatAreNotToldMakeTheSumUnknown(t *testing.T) {
	u := Use{Descriptors: 3}
	u.add(Use{Descriptors: 4})
	if u.Descriptors != 7 {
		t.Errorf("got %d, want 7", u.Descriptors)
	}
	u.add(Use{Descriptors: -1})
	u.add(Use{Descriptors: 4})
	if u.Descriptors != -1 {
		t.Errorf("got %d, want -1", u.Descriptors)
	}
}

func TestWhoIsMissingInAnOlderLookHasNotEnded(t *testing.T) {
	proc, err := procfs.NewDefaultFS()
	if err != nil {
		t.Skip("it needs /proc: ", err)
	}
	us, ok := readStat(strconv.Itoa(os.Getpid()))
	parent, there := readStat(strconv.Itoa(os.Getppid()))
	if !ok || !there {
		t.Skip("the test and its parent are not to be seen")
	}
	parent.group, us.group = parent.pid, us.pid
	older := &look{number: 1, groups: map[int]members{parent.pid: {parent}}}
	later := &look{number: 2, groups: map[int]members{parent.pid: {parent}, us.pid: {us}}}
	var tr tree
	for i, l := range []*look{older, later, older, later} {
		s, ok := tr.sample(proc, l, parent.pid)
		if want := min(i+1, 2); !ok || s.Processes != want || tr.lost != 0 {
			t.Errorf("sample %d: got %d processes, want %d; %v was lost", i+1, s.Processes, want, tr.lost)
		}
	}
}

func TestAnEndedProcessIsNotTakenForAnotherWithItsNumber(t *testing.T) {
	proc, err := procfs.NewDefaultFS()
	if err != nil {
		t.Skip("it needs /proc: ", err)
	}
	m, ok := readStat(strconv.Itoa(os.Getpid()))
	if !ok {
		t.Skip("the test itself is not to be seen")
	}
	if r, ok := m.read(proc); !ok || r.use.Memory == 0 || r.dead {
		t.Errorf("got %+v", r)
	}
	m.start++
	if r, ok := m.read(proc); ok {
		t.Errorf("got %+v of another", r)
	}
}
