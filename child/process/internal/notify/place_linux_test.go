package notify

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAPlaceThatIsTooLongOrOutOfReachIsAnErrorThatSaysSo(t *testing.T) {
	deep := filepath.Join(t.TempDir(), strings.Repeat("d", 100))
	if err := os.Mkdir(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(t.TempDir(), "missing")
	tests := []struct {
		name, runtime, temp string
		uid                 int
		want                []string
	}{
		{"the path is too long", "", deep, os.Getuid(), []string{deep, "107", "sun_path"}},
		{"both are too long", deep, deep, os.Getuid(), []string{"sun_path", "; and "}},
		{"there is no such directory", missing, missing, os.Getuid(), []string{missing}},
		{"another user cannot pass", "", t.TempDir(), nobody, []string{"user 65534 cannot pass through"}},
		{"the runtime directory is too long", deep, os.TempDir(), os.Getuid(), nil},
		{"the runtime directory is gone", missing, os.TempDir(), os.Getuid(), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.uid == os.Getuid() && tt.want != nil && tt.uid == nobody {
				t.Skip("there is no other user to try it as")
			}
			t.Setenv("XDG_RUNTIME_DIR", tt.runtime)
			t.Setenv("TMPDIR", tt.temp)
			s, err := Listen(Options{UID: tt.uid, Member: members(), Deliver: func(Message) {}})
			if tt.want == nil {
				if err != nil {
					t.Fatal(err)
				}
				s.Close()
				return
			}
			if err == nil {
				s.Close()
				t.Fatal("it listens")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("got %v, want %s in it", err, want)
				}
			}
			if entries, _ := os.ReadDir(tt.temp); len(entries) > 0 {
				t.Errorf("%s is left", entries[0])
			}
		})
	}
}

func TestASocketCannotBeGivenToAnotherUserByAnOrdinaryOne(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root can")
	}
	t.Setenv("XDG_RUNTIME_DIR", "")
	s, err := Listen(Options{UID: somebody, Member: members(), Deliver: func(Message) {}})
	if err == nil {
		s.Close()
		t.Fatal("it listens")
	}
	if !strings.Contains(err.Error(), "permi") { // not permitted, or permission denied
		t.Errorf("got %v", err)
	}
}
