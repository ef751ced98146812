package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// most is how many processes of one kind there may be: one more would have the
// port of the next kind.
const most = 100

// everyKind stands for every kind that a scale does not name.
const everyKind = "all"

// A scale is how many processes of each kind there are to be.
type scale map[string]int

// parseScale reads web=2,worker=1. Texts may be several, later ones counting.
func parseScale(texts []string) (scale, error) {
	wanted := scale{}
	for _, part := range strings.Split(strings.Join(texts, ","), ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		kind, number, ok := strings.Cut(part, "=")
		n, err := strconv.Atoi(number)
		if !ok || err != nil || n < 0 || n > most || kind == "" {
			return nil, fmt.Errorf("scale %q: must have the form NAME=N, N from 0 to %d", part, most)
		}
		wanted[kind] = n
	}
	return wanted, nil
}

// check says which kinds nobody knows.
func (s scale) check(known []string) error {
	for _, kind := range slices.Sorted(maps.Keys(s)) {
		if kind != everyKind && !slices.Contains(known, kind) {
			return unknown(kind, known)
		}
	}
	return nil
}

// of is how many of a kind there are to be, where its definition says n.
func (s scale) of(kind string, n int) int {
	if wanted, ok := s[kind]; ok {
		return wanted
	}
	if wanted, ok := s[everyKind]; ok {
		return wanted
	}
	return max(n, 1)
}

func unknown(name string, known []string) error {
	return fmt.Errorf("there is no %q; there are %s", name, strings.Join(known, ", "))
}

// names says whether s has something to say about a kind.
func (s scale) names(kind string) bool {
	_, one := s[kind]
	_, all := s[everyKind]
	return one || all
}
