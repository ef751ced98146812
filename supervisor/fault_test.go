package supervisor_test

import (
	"strings"
	"testing"
)

// faults are bad input and misbehaviour, each with the tests that show what
// the tree answers.
var faults = map[string][]string{
	"empty, duplicate, overlong and slashed names": {"TestFaultANameThatIsNone", "TestFaultANameThatIsTaken"},
	"nil services":                                   {"TestFaultAServiceThatIsNil"},
	"nil list entries":                               {"TestFaultAListEntryThatIsNil"},
	"a supervisor with no children":                  {"TestFaultASupervisorWithoutChildren"},
	"a tree 100 deep":                                {"TestFaultATreeAHundredDeep", "TestFaultATreeThatContainsItself"},
	"10 000 siblings":                                {"TestFaultTenThousandSiblings"},
	"a Start twice on one spec":                      {"TestFaultAStartTwiceOnOneSpec"},
	"Serve while serving":                            {"TestFaultServeWhileServing"},
	"calls on a stopped supervisor":                  {"TestFaultCallsOnAStoppedSupervisor"},
	"calls on places that are gone":                  {"TestFaultCallsOnPlacesThatAreGone"},
	"calls from inside a child on itself":            {"TestFaultCallsFromInsideAChild", "TestFaultCallsOfAChildThatEndIt"},
	"calls from inside a child on its parent":        {"TestFaultCallsFromInsideAChild", "TestFaultCallsOfADeepChildBeforeItsReadiness"},
	"calls from inside a child on its siblings":      {"TestFaultCallsFromInsideAChild"},
	"the same before and after its readiness":        {"TestFaultCallsFromInsideAChild", "TestAChangingCallFromAChildThatIsNotReadyIsRefused"},
	"a context cancelled before a start":             {"TestFaultAContextThatEnds"},
	"a context cancelled during a start":             {"TestFaultAContextThatEnds"},
	"a context cancelled after a start":              {"TestFaultAContextThatEnds"},
	"a context with a deadline":                      {"TestFaultAContextThatEnds", "TestFaultAContextOfACallThatEnds"},
	"a log handler that misbehaves":                  {"TestFaultALogHandlerThatMisbehaves", "TestFaultALogHandlerThatCallsTheSupervisor"},
	"a Decide that misbehaves":                       {"TestFaultADecideThatMisbehaves", "TestFaultADecideThatSaysNothingKnown", "TestFaultADecideThatCallsTheSupervisor"},
	"a service that decides and misbehaves":          {"TestFaultADeciderThatMisbehaves"},
	"a template that misbehaves":                     {"TestFaultATemplateThatMisbehaves", "TestFaultATemplateThatCallsTheSupervisor"},
	"a maker of services that misbehaves":            {"TestFaultAServiceMakerThatMisbehaves"},
	"a method of a spec that misbehaves":             {"TestFaultAMethodOfASpecThatPanics", "TestFaultAnAnnouncerThatChangesItsMind"},
	"a redactor that misbehaves":                     {"TestFaultARedactorThatMisbehaves"},
	"a listener that misbehaves":                     {"TestFaultAListenerThatMisbehaves"},
	"an error that misbehaves":                       {"TestFaultAnErrorThatMisbehaves", "TestFaultAnErrorThatMisbehavesAndEndsTheTree"},
	"a child that panics with nil":                   {"TestFaultAChildThatPanics"},
	"a child that panics with an error":              {"TestFaultAChildThatPanics"},
	"a child that panics with one whose String does": {"TestFaultAChildThatPanics"},
	"runtime.Goexit":                                 {"TestFaultAChildThatExitsItsGoroutine"},
	"runtime.LockOSThread without unlock":            {"TestFaultAChildThatLocksItsThread"},
	"a child that ignores its context for ever":      {"TestFaultAChildThatIgnoresItsContextForEver", "TestStuckChildren"},
	"a child that returns while it is being stopped": {"TestFaultAChildThatReturnsWhileItIsBeingStopped"},
	"deaths while siblings are being started":        {"TestFaultDeathsWhileSiblingsStart"},
	"deaths while siblings are being stopped":        {"TestFaultDeathsWhileSiblingsStop"},
	"a subscriber that never reads":                  {"TestFaultASubscriberThatNeverReads", "TestAReaderThatStallsKeepsNothingButItsChunk"},
}

func TestEveryFaultHasItsTests(t *testing.T) {
	tests, listed := testNames(t, "*_test.go"), map[string]bool{}
	for fault, names := range faults {
		for _, name := range names {
			listed[name] = true
			if !tests[name] {
				t.Errorf("%s: no %s", fault, name)
			}
		}
		if len(names) == 0 {
			t.Errorf("%s: no test", fault)
		}
	}
	for name := range tests {
		if strings.HasPrefix(name, "TestFault") && !listed[name] {
			t.Errorf("%s shows no fault that is listed", name)
		}
	}
}
