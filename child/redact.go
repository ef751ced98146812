package child

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// secrets finds a word that announces a secret, what parts the two, and the
// secret itself: --password x, token=x, "api_key": "x", Authorization: Basic x.
var secrets = regexp.MustCompile(`(?i)(` +
	`\bauthorization["']?\s*[:=]\s*["']?(?:(?:basic|bearer|digest|token)\s+)?` +
	`|(?:\b|[-_]|[a-z0-9])(?:password|passwd|passphrase|pwd|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credentials?)["']?(?:\s*[:=]\s*|\s+)["']?` +
	`)([^\s"'&,;]+)`)

// userinfo finds the password in a URL.
var userinfo = regexp.MustCompile(`(://[^\s/:@]*:)([^\s/@]+)(@)`)

// HideSecrets is the redactor of a tree that was given none: it puts *** in the
// place of what follows --password, token=, Authorization: and the like, and
// of the password in a URL. It works on text of any kind and can only guess.
func HideSecrets(s string) string {
	s = secrets.ReplaceAllString(s, "${1}***")
	return userinfo.ReplaceAllString(s, "${1}***${3}")
}

// maxText bounds the text that is kept of an error or a panic value.
const maxText = 1024

// clean makes text that somebody else wrote into data: at most maxText bytes,
// valid UTF-8, and neither line breaks nor other control characters.
func clean(s string) string {
	cut := ""
	if len(s) > maxText {
		s, cut = s[:maxText], "..."
	}
	if !plain(s) {
		s = escape(s)
	}
	return s + cut
}

func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// escape writes what does not print as Go would between quotes, and leaves
// quotes and backslashes alone.
func escape(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			b.WriteString(`\x` + strconv.FormatUint(uint64(s[0])|0x100, 16)[1:])
		case strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			q := strconv.QuoteRune(r)
			b.WriteString(q[1 : len(q)-1])
		}
		s = s[n:]
	}
	return b.String()
}
