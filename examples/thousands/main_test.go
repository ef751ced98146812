//go:build unix

package main

import "testing"

func TestSomeProcessesAreKilledAndComeBack(t *testing.T) {
	for _, inherit := range []bool{false, true} {
		if err := run(t.Context(), 40, inherit, 10); err != nil {
			t.Error(err)
		}
	}
}
