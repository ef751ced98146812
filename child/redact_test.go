package child_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/coppice-go/coppice/child"
)

func TestSecretsAreHidden(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		// Flags and variables.
		"--password hunter2":                     "--password ***",
		"--password=hunter2 --verbose":           "--password=*** --verbose",
		"-password hunter2 -v":                   "-password *** -v",
		"--db-password\thunter2":                 "--db-password\t***",
		`--password "hun ter2" x`:                `--password "***" x`,
		`--password='hun ter2' x`:                `--password='***' x`,
		"PGPASSWORD=hunter2 psql":                "PGPASSWORD=*** psql",
		"MYSQL_PWD=hunter2":                      "MYSQL_PWD=***",
		"AWS_SECRET_ACCESS_KEY=hunter2":          "AWS_SECRET_ACCESS_KEY=***",
		"DB_PASSWORD=hunter,2;":                  "DB_PASSWORD=***",
		"SSH_PASSPHRASE = hunter2":               "SSH_PASSPHRASE = ***",
		"api_key=hunter2 apikey=hunter2":         "api_key=*** apikey=***",
		"--api-key hunter2 --access-key hunter2": "--api-key *** --access-key ***",
		"secret-key: hunter2":                    "secret-key: ***",
		"ClientSecret=hunter2":                   "ClientSecret=***",
		`["--password","hunter2","-v"]`:          `["--password","***","-v"]`,
		`["--password" "hunter2" "-v"]`:          `["--password" "***" "-v"]`,
		`["--password=hunter2","-v"]`:            `["--password=***","-v"]`,
		// Text.
		"token: hunter2":                       "token: ***",
		"token=hunter2&page=2":                 "token=***&page=2",
		"TOKEN => hunter2":                     "TOKEN => ***",
		"token := hunter2":                     "token := ***",
		"{Password:hunter2 Name:bob}":          "{Password:*** Name:bob}",
		"ALTER ROLE bob PASSWORD 'hun ter2';":  "ALTER ROLE bob PASSWORD '***';",
		"credentials: hunter2":                 "credentials: ***",
		"password=hunter2\npassword=hunter2\n": "password=***\npassword=***\n",
		// Headers.
		"Authorization: Bearer hunter2":                    "Authorization: Bearer ***",
		"authorization: basic hunter2 from 10.0.0.1":       "authorization: basic *** from 10.0.0.1",
		"Authorization: hunter2":                           "Authorization: ***",
		"Proxy-Authorization:Basic hunter2":                "Proxy-Authorization:Basic ***",
		`curl -H "Authorization: Bearer hunter2" x`:        `curl -H "Authorization: Bearer ***" x`,
		"X-Api-Key: hunter2":                               "X-Api-Key: ***",
		`{"Authorization": "Bearer hunter2"}`:              `{"Authorization": "Bearer ***"}`,
		`{"headers":{"Authorization":["Bearer hunter2"]}}`: `{"headers":{"Authorization":["Bearer ***"]}}`,
		"map[Authorization:[Bearer hunter2] Accept:[*/*]]": "map[Authorization:[Bearer *** Accept:[*/*]]",
		`{"token":["hunter2"]}`:                            `{"token":["***"]}`,
		// JSON.
		`{"password":"hunter2","user":"bob"}`:        `{"password":"***","user":"bob"}`,
		`{"password": "hun ter2", "user": "bob"}`:    `{"password": "***", "user": "bob"}`,
		`{"password":"hun\"ter2","user":"bob"}`:      `{"password":"***","user":"bob"}`,
		`{'password': 'hunter2'}`:                    `{'password': '***'}`,
		`"{\"token\":\"hunter2\",\"user\":\"bob\"}"`: `"{\"token\":\"***\",\"user\":\"bob\"}"`,
		`{"password": 42}`:                           `{"password": ***`,
		`{"api_key":""}`:                             `{"api_key":"***"}`,
		// Addresses.
		"postgres://bob:hunter2@db/shop":        "postgres://bob:***@db/shop",
		"redis://:hunter2@localhost":            "redis://:***@localhost",
		"amqp://bob:hun@ter2@mq and more":       "amqp://bob:***@mq and more",
		"https://x/?access_token=hunter2&a=b":   "https://x/?access_token=***&a=b",
		"http://a:hunter2@b http://c:hunter2@d": "http://a:***@b http://c:***@d",
	} {
		if got := child.HideSecrets(text); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", text, got, want)
		}
		if again := child.HideSecrets(want); again != want {
			t.Errorf("%s: when it is done again it becomes %s", want, again)
		}
	}
}

func TestOrdinaryTextIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"",
		"password reset sent to bob",
		"the secret is out",
		"token expired, trying again",
		"Enter password:\nWelcome",
		"--no-password --verbose",
		"--password-file /etc/password",
		"--token",
		"tokens: 5",
		"max_tokens=5",
		"tokenizer: fast",
		"secretary: Bob",
		"monkey: banana, keyboard: qwerty",
		"bypass: yes",
		"http://localhost:8080/path?mail=bob@example.com",
		"mailto:bob@example.com",
		"10:20:30 connected to db:5432 as bob@host",
		"authorization failed",
		"\x1b[31mnot our business\x1b[0m \xff",
	} {
		if got := child.HideSecrets(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestHidingSecretsCanOnlyGuess(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		// A word too many.
		"bad token: unexpected comma":     "bad token: *** comma",
		"PWD=/home/bob":                   "PWD=***",
		"Authorization: denied for bob":   "Authorization: *** for bob",
		`the password "reset" was chosen`: `the password "***" was chosen`,
		// A word too few.
		"mysql -phunter2":       "mysql -phunter2",
		"the key is hunter2":    "the key is hunter2",
		"password=hun ter2":     "password=*** ter2",
		"https://hunter2@forge": "https://hunter2@forge",
	} {
		if got := child.HideSecrets(text); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", text, got, want)
		}
	}
}

func FuzzHideSecrets(f *testing.F) {
	for _, text := range []string{
		"", "--password", "token=", `{"password":"`, "Authorization: Bearer", "http://a:b@c", `\"token\":\"x\"`, "PASSWORD '", "\x1b[0m\xff",
	} {
		f.Add(text, " and more")
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		const secret = "hunter2hunter2"
		whole := child.HideSecrets(before + " password=" + secret + " " + after)
		if strings.Contains(whole, secret) && !strings.Contains(before+after, secret) {
			t.Errorf("it is not hidden in %q", whole)
		}
		for _, text := range []string{before, before + after} {
			hidden := child.HideSecrets(text)
			if controls(hidden) > controls(text) {
				t.Errorf("%q got control characters: %q", text, hidden)
			}
			if !strings.Contains(hidden, "***") && hidden != text {
				t.Errorf("%q became %q", text, hidden)
			}
		}
	})
}

// controls counts the control characters in s.
func controls(s string) (n int) {
	for _, r := range s {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			n++
		}
	}
	return n
}

func BenchmarkHideSecrets(b *testing.B) {
	for name, line := range map[string]string{
		"nothing to hide": strings.Repeat("request GET /index.html served in 12ms status=200 ", 4),
		"a secret":        strings.Repeat("request GET /index.html served in 12ms status=200 ", 3) + "token=hunter2",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				child.HideSecrets(line)
			}
		})
	}
}
