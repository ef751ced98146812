package child

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// What follows a word that announces a secret: in quotes up to the quote that
// closes, which may itself be escaped as in a string within JSON; without
// quotes up to a space, a quote or an &. Each has a group for its first quote.
const (
	quoted = `(?:(\\+")(?:[^"\\\n]|\\+[^"\\\n])*|(")(?:[^"\\\n]|\\[^\n])*|(')[^'\n]*)`
	bare   = `[^\s"'&\\]+`
	marked = `${1}${2}${3}${4}***`
)

const announces = `(?:pass(?:word|wd|phrase)|pwd|secret|token|(?:api|access|private|secret)[-_]?key|credentials?)`

// secrets find, in their first group, a word that announces a secret and what
// parts the two.
var secrets = []*regexp.Regexp{
	// Authorization: Basic x
	regexp.MustCompile(`(?i)(\bauthorization\\*["']?[ \t]*[:=][ \t]*\[?(?:\\*["'])?(?:(?:basic|bearer|digest|token|negotiate)[ \t]+)?)(?:` + quoted + `|` + bare + `)`),
	// PGPASSWORD=x, token: x, "api_key": "x", --password=x
	regexp.MustCompile(`(?i)(` + announces + `\\*["']?[ \t]*[:=]+>?[ \t]*\[?)(?:` + quoted + `|` + bare + `)`),
	// --password x, but not --password --verbose
	regexp.MustCompile(`(?i)(-[-\w]*` + announces + `[ \t]+)(?:` + quoted + `|[^-\s"'&\\][^\s"'&\\]*)`),
	// PASSWORD 'x', ["--password","x"]
	regexp.MustCompile(`(?i)(` + announces + `(?:[ \t]+|["'][ \t]*,?[ \t]*))` + quoted),
}

// userinfo finds the password in a URL, which may contain an @ of its own.
var userinfo = regexp.MustCompile(`(://[^\s/:@]*:)[^\s/]+(@)`)

// HideSecrets is the redactor of a tree that was given none: it puts *** in the
// place of what follows --password, token=, Authorization: and the like, and
// of the password in a URL. It works on text of any kind and may be called from
// any goroutine.
//
// It can only guess, and rather hides a word too many than one too few: of
// "bad token: unexpected comma" it hides a word, while "password reset sent" is
// left alone, for only after a flag does a space announce a secret. A secret
// that nothing announces, that has a line break or (without quotes) a space in
// it, or whose name says nothing (-p x), stays.
func HideSecrets(s string) string {
	if announced(s) {
		for _, r := range secrets {
			s = r.ReplaceAllString(s, marked)
		}
	}
	if !strings.Contains(s, "://") {
		return s
	}
	return userinfo.ReplaceAllString(s, "${1}***${2}")
}

// stems are in every word that announces a secret.
var stems = []string{"pass", "pwd", "secret", "token", "key", "credential", "authorization"}

// announced reports whether s can hold a secret. Most lines hold none, and the
// expressions would take a hundred times as long to say so.
func announced(s string) bool {
	s = strings.ToLower(s)
	return slices.ContainsFunc(stems, func(stem string) bool { return strings.Contains(s, stem) })
}

// maxText bounds the text that is kept of an error or a panic value.
const maxText = 1024

// clean makes text that somebody else wrote into data: at most maxText bytes,
// valid UTF-8, and neither line breaks nor other control characters. What does
// not print is written as Go would between quotes; quotes and backslashes stay
// as they are. A text that was cut ends in three dots.
func clean(s string) string {
	if len(s) <= maxText && plain(s) {
		return s
	}
	const cut = "..."
	var b strings.Builder
	short := 0 // as much of b as leaves room for the dots
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		piece := shown(s[:n], r)
		if b.Len()+len(piece) > maxText {
			return b.String()[:short] + cut
		}
		b.WriteString(piece)
		if b.Len() <= maxText-len(cut) {
			short = b.Len()
		}
		s = s[n:]
	}
	return b.String()
}

func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// shown is the rune r, which s encodes, as text that prints.
func shown(s string, r rune) string {
	switch {
	case r == utf8.RuneError && len(s) == 1:
		return `\x` + strconv.FormatUint(uint64(s[0])|0x100, 16)[1:]
	case strconv.IsPrint(r):
		return s
	}
	q := strconv.QuoteRune(r)
	return q[1 : len(q)-1]
}
