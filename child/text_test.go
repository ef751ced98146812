package child_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/coppice-go/coppice/child"
)

// maxText is the kilobyte that an exit's text may have.
const maxText = 1024

func TestAnExitsTextIsOneLineWithoutControlCharacters(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                             "",
		"no more disk":                 "no more disk",
		"line one\nline two\r\n":       `line one\nline two\r\n`,
		"a tab\tand a bell\a":          `a tab\tand a bell\a`,
		"\x1b[31mred\x1b[0m":           `\x1b[31mred\x1b[0m`,
		"\x1b]0;title\x07":             `\x1b]0;title\a`,
		"\u009b31m C1":                 `\u009b31m C1`,
		"\x00\x7f":                     `\x00\x7f`,
		"not UTF-8: \xff\xfe \xc3(":    `not UTF-8: \xff\xfe \xc3(`,
		"\u2028\u2029 line separators": `\u2028\u2029 line separators`,
		"txt.\u202egnp":                `txt.\u202egnp`,
		"zero\u200bwidth\ufeff":        `zero\u200bwidth\ufeff`,
		"no\u00a0break":                `no\u00a0break`,
		"\U000e0001 tag":               `\U000e0001 tag`,
		"käse, 日本語, 🌳":                 "käse, 日本語, 🌳",
		`"quotes" and \ stay, 'both'`:  `"quotes" and \ stay, 'both'`,
		"a \ufffd that was there":      "a \ufffd that was there",
	} {
		for how, exit := range map[string]child.Exit{
			"error": child.ExitOf(errors.New(text)), "panic": serve(panics(text)), "panic with an error": serve(panics(errors.New(text))),
		} {
			if got := exit.Text(); got != want {
				t.Errorf("%q as %s: got %q, want %q", text, how, got, want)
			}
			checkText(t, text, exit)
		}
	}
}

func TestALongTextIsCut(t *testing.T) {
	t.Parallel()
	const huge = 10 << 20
	for name, tt := range map[string]struct {
		text string
		long bool
	}{
		"10 MB":                      {strings.Repeat("x", huge), true},
		"10 MB of line breaks":       {strings.Repeat("\n", huge), true},
		"10 MB of trees":             {strings.Repeat("🌳", huge/4), true},
		"10 MB of nothing":           {strings.Repeat("\xff", huge), true},
		"a kilobyte":                 {strings.Repeat("x", maxText), false},
		"a kilobyte and one":         {strings.Repeat("x", maxText+1), true},
		"a kilobyte of umlauts":      {strings.Repeat("ä", maxText/2), false},
		"a kilobyte with two bytes":  {strings.Repeat("x", maxText-1) + "ä", true},
		"one less with two bytes":    {strings.Repeat("x", maxText-2) + "ä", false},
		"a quarter that does not do": {strings.Repeat("\x00", maxText/4), false},
		"one more":                   {strings.Repeat("\x00", maxText/4+1), true},
	} {
		exit := child.ExitOf(errors.New(tt.text))
		checkText(t, tt.text, exit)
		if got := strings.HasSuffix(exit.Text(), "..."); got != tt.long {
			t.Errorf("%s: %d bytes that end in %q", name, len(exit.Text()), exit.Text()[len(exit.Text())-5:])
		}
		if tt.long && len(exit.Text()) < maxText-12 {
			t.Errorf("%s: only %d bytes are left", name, len(exit.Text()))
		}
	}
}

// checkText checks what holds for every text of an exit.
func checkText(t *testing.T, text string, exit child.Exit) {
	t.Helper()
	got := exit.Text()
	if len(got) > maxText || !utf8.ValidString(got) {
		t.Errorf("%d bytes, valid: %v", len(got), utf8.ValidString(got))
	}
	for _, line := range []string{got, exit.String()} {
		for _, r := range line {
			if !strconv.IsPrint(r) {
				t.Errorf("%U is in %q", r, line)
			}
		}
	}
	if unprintable := func(r rune) bool { return !strconv.IsPrint(r) }; len(text) <= maxText && utf8.ValidString(text) &&
		!strings.ContainsFunc(text, unprintable) && got != text {
		t.Errorf("a text that prints, %q, became %q", text, got)
	}
	if again := child.ExitOf(errors.New(got)).Text(); again != got {
		t.Errorf("%q became %q when it was taken again", got, again)
	}
}

func FuzzText(f *testing.F) {
	for _, text := range []string{"", "a", "\n", "\x1b[31m", "\xff", "\u202e", strings.Repeat("é\x00", 300), strings.Repeat("x", maxText+1)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		checkText(t, text, child.ExitOf(errors.New(text)))
		checkText(t, text, serve(panics(text)))
	})
}
