package child_test

import (
	"encoding"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/coppice-go/coppice/child"
)

// enumeration is what all of them can do. T is the type itself.
type enumeration[T any] interface {
	*T
	encoding.TextUnmarshaler
}

// readsBack checks all values of an enumeration, which begins with zero and
// has these words.
func readsBack[T interface {
	~uint8
	fmt.Stringer
	encoding.TextMarshaler
}, P enumeration[T]](t *testing.T, name string, words ...string) {
	t.Helper()
	for i, word := range words {
		v := T(i)
		text, err := v.MarshalText()
		if err != nil || string(text) != word || v.String() != word {
			t.Errorf("%s %d: got %q, %q, %v, want %q", name, i, text, v, err, word)
		}
		back := T(255)
		if err := P(&back).UnmarshalText([]byte(word)); err != nil || back != v {
			t.Errorf("%s %q: got %d, %v, want %d", name, word, back, err, i)
		}
		var held, again map[string]T = map[string]T{"v": v}, nil
		data, err := json.Marshal(held)
		if err == nil {
			err = json.Unmarshal(data, &again)
		}
		if err != nil || again["v"] != v {
			t.Errorf("%s as %s: got %v, %v", name, data, again, err)
		}
	}
	unknown := T(len(words))
	if want := fmt.Sprintf("%s(%d)", name, len(words)); unknown.String() != want {
		t.Errorf("a value without a word: got %q, want %q", unknown, want)
	}
	if text, err := unknown.MarshalText(); err == nil || !strings.Contains(err.Error(), name) {
		t.Errorf("a value without a word: got %q, %v", text, err)
	}
	kept := T(1)
	if err := P(&kept).UnmarshalText([]byte("sometimes")); err == nil || kept != 1 ||
		!strings.Contains(err.Error(), `"sometimes"`) || !strings.Contains(err.Error(), name) {
		t.Errorf("an unknown word: got %v, %v", kept, err)
	}
}

func TestEveryWordOfAnEnumerationReadsBack(t *testing.T) {
	t.Parallel()
	readsBack[child.Kind](t, "Kind", "normal", "error", "panic", "goexit", "code", "signal", "gave_up", "shutdown", "killed", "start_failed")
	readsBack[child.Reason](t, "Reason", "", "shutdown", "call", "group", "bounce", "readiness", "ping", "limit", "beat", "max_run")
	readsBack[child.Restart](t, "Restart", "permanent", "transient", "temporary")
	readsBack[child.Stuck](t, "Stuck", "wait", "escalate", "abandon")
}

func TestDecisionsHaveWords(t *testing.T) {
	t.Parallel()
	for d, want := range map[child.Decision]string{
		child.ByType: "by_type", child.RestartIt: "restart", child.CompleteIt: "complete", child.EscalateIt: "escalate", 9: "Decision(9)",
	} {
		if d.String() != want {
			t.Errorf("got %q, want %q", d, want)
		}
	}
}
