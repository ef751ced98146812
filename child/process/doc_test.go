package process_test

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

func TestEveryGuaranteeIsTheNameOfATest(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(file.Doc.Text(), "# Guarantees")
	guarantees := strings.Split(list, "\n  - ")[1:]
	if len(guarantees) < 20 {
		t.Errorf("only %d guarantees were found in the package doc", len(guarantees))
	}
	tests := testsBelow(t, "../process")
	for _, guarantee := range guarantees {
		sentence, _, _ := strings.Cut(guarantee, ".")
		name := "Test"
		for word := range strings.FieldsSeq(strings.ReplaceAll(sentence, ",", "")) {
			name += strings.ToUpper(word[:1]) + word[1:]
		}
		if !tests[name] {
			t.Errorf("no %s", name)
		}
	}
}
