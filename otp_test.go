package coppice_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var (
	// mentions finds "rule 54", "rules 71 and 72", "difference 7" in code that
	// has been put in one line.
	mentions = regexp.MustCompile(`\b(?i:(rule|difference)s?) (\d+(?:(?:,| and| to) \d+)*)`)
	// margin is what a comment has between its lines.
	margin = regexp.MustCompile(`\s+(//\s*)?`)
	number = regexp.MustCompile(`\d+`)

	ruleOnPage       = regexp.MustCompile(`(?m)^(\d+)\. \S`)
	differenceOnPage = regexp.MustCompile(`(?m)^- \*\*Difference (\d+), `)
)

func TestThePageOfOTPIsNumberedWithoutAGap(t *testing.T) {
	t.Parallel()
	page := otpPage(t)
	for what, n := range map[string]int{"rule": 117, "difference": 11} {
		want := make([]int, n)
		for i := range want {
			want[i] = i + 1
		}
		if !slices.Equal(page[what], want) {
			t.Errorf("the page has these: %s %v", what, page[what])
		}
	}
}

func TestEveryRuleThatTheCodeNamesIsOnThePage(t *testing.T) {
	t.Parallel()
	page, named := otpPage(t), 0
	for _, file := range repository(t) {
		if match("supervisor/...", file.dir()) || match("strategies/...", file.dir()) {
			named += len(mentions.FindAllString(inOneLine(file.text), -1))
			report(t, unknownRules(file, page))
		}
	}
	if named < 100 {
		t.Errorf("only %d rules are named", named)
	}
}

// otpPage is what docs/OTP.md numbers, in its order.
func otpPage(t *testing.T) map[string][]int {
	t.Helper()
	text, err := os.ReadFile("docs/OTP.md")
	if err != nil {
		t.Fatal(err)
	}
	page := map[string][]int{}
	for what, re := range map[string]*regexp.Regexp{"rule": ruleOnPage, "difference": differenceOnPage} {
		for _, m := range re.FindAllStringSubmatch(string(text), -1) {
			page[what] = append(page[what], atoi(m[1]))
		}
	}
	return page
}

// unknownRules lists the rules and differences that a file names and the page
// does not have.
func unknownRules(f source, page map[string][]int) (offences []string) {
	for _, m := range mentions.FindAllStringSubmatch(inOneLine(f.text), -1) {
		known := page[strings.ToLower(m[1])]
		for _, n := range number.FindAllString(m[2], -1) {
			if !slices.Contains(known, atoi(n)) {
				offences = append(offences, fmt.Sprintf("%s: %q is not on the page", f.path, m[0]))
			}
		}
	}
	return offences
}

func inOneLine(text string) string { return margin.ReplaceAllString(text, " ") }

// atoi is for text that consists of digits.
func atoi(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}

func TestRuleCheckFindsOffences(t *testing.T) {
	t.Parallel()
	page := map[string][]int{"rule": {1, 2}, "difference": {1}}
	tests := map[string]struct {
		comment string
		want    int
	}{
		"a rule that is there":              {"// as in rule 2", 0},
		"a rule that is not":                {"// as in rule 3", 1},
		"at the beginning of a sentence":    {"// Rule 3 says", 1},
		"several":                           {"// (rules 1, 3 and 4)", 2},
		"a range":                           {"// (rules 1 to 3)", 1},
		"over the end of a line":            {"// see rule\n// 3", 1},
		"a difference is not a rule":        {"// by difference 2", 1},
		"a difference that is there":        {"// by difference 1", 0},
		"a number of rules is not a number": {"// the 117 rules", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantOffences(t, unknownRules(parse(t, "supervisor/p.go", "package p\n\n"+tt.comment+"\n"), page), tt.want)
		})
	}
}
