package process_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// lastFailure is the number of the last failure mode.
const lastFailure = 100

// A failure is one way in which the supervision of processes is known to fail.
type failure struct {
	F    int
	What string
	// Shows names the tests which show that it does not fail here, those of
	// other packages as in strategies.TestX.
	Shows string
	// Why says, instead, why no test can show it.
	Why string
}

// failures are the failure modes by number, known from supervisors that had
// them.
var failures = []failure{
	{F: 1, What: "a grandchild keeps the output pipe open", Shows: "TestNothingThatHoldsThePipeDelaysTheExit TestAHundredRoundsOfTheHardest"},
	{F: 2, What: "a grandchild outlives every restart", Shows: "TestASuccessorStartsAfterTheGroupIsGone TestWhatRemainsOfTheGroupIsKilledWithItsLeader TestAHundredRoundsOfTheHardest"},
	{F: 3, What: "it ignores SIGTERM", Shows: "TestAProcessThatIgnoresTheRequestIsKilledWhenTheGraceIsOver"},
	{F: 4, What: "it was stopped, and cannot hear SIGTERM", Shows: "TestAStoppedProcessIsWokenToBeTold"},
	{F: 5, What: "SIGKILL does not work", Shows: "TestAnUnkillableProcessHasNoTwinAndHoldsUpNobody"},
	{F: 6, What: "it is killed early because another ended", Shows: "TestAProcessInItsGraceIsNotKilledBecauseAnotherEnded"},
	{F: 7, What: "a stop arrives during the delay before a restart", Shows: "TestAStopDuringTheDelayStartsNothing"},
	{F: 8, What: "a stop arrives between the fork and the bookkeeping", Shows: "TestStartsAndStopsFromEverywhereAreEachDoneOrRefused TestAStopRightAfterTheStartLeavesNothing"},
	{F: 9, What: "it is removed or replaced during the delay", Shows: "TestAStopDuringTheDelayStartsNothing"},
	{F: 10, What: "several stop it at once", Shows: "TestTwentyStopsAtOnceGetTheSameAnswer TestManyStopsAreOne"},
	{F: 11, What: "a terminal's interrupt reaches it before us", Shows: "TestAnInterruptFromTheTerminalReachesOnlyUs"},
	{F: 12, What: "an end by a signal is mistaken for an exit code", Shows: "TestTheExitCodeTheSignalAndTheCoreAreTold"},
	{F: 13, What: "the core file and the usage are lost", Shows: "TestTheExitCodeTheSignalAndTheCoreAreTold TestAnEndTellsWhatTheProcessHasUsed"},
	{F: 14, What: "its first thread has ended and others live", Shows: "TestAProcessWhoseFirstThreadHasEndedIsAlive"},
	{F: 15, What: "it ends before it is registered", Shows: "TestAProcessThatEndsAtOnceIsSeen"},
	{F: 16, What: "the group can no longer be found when its leader is gone", Shows: "TestWhatRemainsOfTheGroupIsKilledWithItsLeader"},
	{F: 17, What: "a group's number is given to strangers", Shows: "TestASignalNeverHitsWhoGotTheNumber"},
	{F: 18, What: "zombies that nobody waits for make the group look alive", Shows: "TestZombiesOfAnotherDoNotHoldUpTheEnd"},
	{F: 19, What: "adopted zombies pile up", Shows: "TestTwentyUnwaitedChildrenBesideTwentyOrphans"},
	{F: 20, What: "a wait for any process takes the exit status", Shows: "TestAnotherWaitInThisProgramIsNoticed TestTwentyUnwaitedChildrenBesideTwentyOrphans"},
	{F: 21, What: "somebody else waits for our process", Shows: "TestAnotherWaitInThisProgramIsNoticed"},
	{F: 22, What: "a daemon leaves its parent, group and session", Shows: "TestNothingLeavesAControlGroup"},
	{F: 23, What: "a program forks, and its first process ends", Shows: "TestAProgramThatForksHasEndedWithItsFirstProcess TestAProgramThatLeavesItselfUnfollowedIsToldWhatItNeeds TestAProgramThatLeavesItselfIsFollowedByItsPIDFile"},
	{F: 24, What: "a process number is given again", Shows: "TestASignalNeverHitsWhoGotTheNumber"},
	{F: 25, What: "a file has the number of a process that is gone", Shows: "TestAPIDFileThatIsWrongIsAFailedStart"},
	{F: 26, What: "our program is killed, and its successor starts twins", Shows: "TestNothingOutlivesAProgramThatWasKilled TestWhoMayLiveOnOutlivesAProgramThatWasKilled TestAWatcherThatDiesIsReplaced"},
	{F: 27, What: "the parent-death signal follows a thread", Shows: "TestAThreadThatEndsTakesNoProcessWithIt spawn.TestTheChildDiesWithUsAndNotWithAThread"},
	{F: 28, What: "the parent-death signal does not reach grandchildren", Shows: "TestNothingOutlivesAProgramThatWasKilled"},
	{F: 29, What: "it executes another program", Shows: "TestAProcessThatExecutesAnotherProgramIsTheSame"},
	{F: 30, What: "a debugger's stop looks like a hang", Shows: "TestAProcessInTheHandsOfADebuggerCanBeStopped"},
	{F: 31, What: "the program is missing", Shows: "TestAStartErrorNamesWhatWasWrongAndWhetherItIsForNow"},
	{F: 32, What: "the program is not executable, a directory, empty or a text", Shows: "TestAStartErrorNamesWhatWasWrongAndWhetherItIsForNow"},
	{F: 33, What: "the interpreter of a script is missing", Shows: "TestAStartErrorNamesWhatWasWrongAndWhetherItIsForNow"},
	{F: 34, What: "the directory is missing, not the program", Shows: "TestAStartErrorNamesWhatWasWrongAndWhetherItIsForNow"},
	{F: 35, What: "the program is still being written", Shows: "TestAProgramThatIsStillBeingWrittenIsTriedAgain TestAProgramCanBeStartedWhileOthersForkAndWrite"},
	{F: 36, What: "there is no room for another process", Shows: "TestWithoutRoomForAnotherProcessAStartFailsForNow TestAShortageIsNotCountedAsRestarts"},
	{F: 37, What: "there are no descriptors left", Shows: "TestWithoutDescriptorsAStartFailsForNowAndLosesNone"},
	{F: 38, What: "the arguments are too long or have a NUL byte", Shows: "TestAStartErrorNamesWhatWasWrongAndWhetherItIsForNow"},
	{F: 39, What: "the user is unknown, or we may not become that user", Shows: "TestAStartErrorNamesWhatWasWrongAndWhetherItIsForNow TestWhoIsNotRootCannotBecomeAnother"},
	{F: 40, What: "limits, niceness and mask cannot be set", Shows: "TestWhatTheSystemIsToldHoldsInTheProcess spawn.TestTheChildIsWhatWasAsked spawn.TestItsRootIsWhatWasAsked"},
	{F: 41, What: "ignored signals are inherited", Shows: "TestNoSignalIsIgnoredOrBlockedInAProcess TestAStartLeavesOurOwnSignalsAlone spawn.TestTheChildHasEverySignalByDefaultAndNoneBlocked"},
	{F: 42, What: "blocked signals are inherited", Shows: "TestNoSignalIsIgnoredOrBlockedInAProcess spawn.TestTheChildHasEverySignalByDefaultAndNoneBlocked"},
	{F: 43, What: "the limit of open files is not that of our program", Shows: "TestAProcessHasTheLimitOfFilesThatWeWereStartedWith"},
	{F: 44, What: "our descriptors leak into it", Shows: "TestOurDescriptorsAreNotTheProcesss spawn.TestTheChildHasItsDescriptorsAndNoOthers"},
	{F: 45, What: "our own standard streams are closed", Shows: "TestAProgramWithoutStandardStreamsCanStartOthers"},
	{F: 46, What: "it waits for its input for ever", Shows: "TestStandardInputIsEmpty"},
	{F: 47, What: "it reads the terminal in the background, and is stopped", Shows: "TestAProcessThatWaitsForTheTerminalCanBeStopped TestAProcessCannotReachOurTerminal"},
	{F: 48, What: "a stop arrives during the start", Shows: "TestAStopRightAfterTheStartLeavesNothing"},
	{F: 49, What: "it succeeds before it counts as started", Shows: "TestAProgramThatSucceedsAtOnceHasSucceeded"},
	{F: 50, What: "it never becomes ready", Shows: "supervisor.TestAStartWhoseReadinessDoesNotComeHasFailedAndSaysWhy"},
	{F: 51, What: "an execution hangs", Shows: "TestExecutionsThatHangHoldUpNoOther"},
	{F: 52, What: "a line has no end", Shows: "TestALongLineComesInMarkedPieces"},
	{F: 53, What: "the last line has no end", Shows: "TestALineIsWholeOrMarkedAsPartial"},
	{F: 54, What: "empty lines are lost, or one too many comes", Shows: "TestALineIsWholeOrMarkedAsPartial"},
	{F: 55, What: "carriage returns", Shows: "TestALineIsWholeOrMarkedAsPartial"},
	{F: 56, What: "the output is no text", Shows: "TestEveryByteArrivesAsItWasPrinted"},
	{F: 57, What: "a character is cut in two", Shows: "TestACharacterIsNotCutInTwo"},
	{F: 58, What: "a flood of output", Shows: "TestAFloodIsBoundedAndCounted"},
	{F: 59, What: "a consumer is slow or blocked", Shows: "TestAConsumerThatBlocksDoesNotHoldUpTheExit TestAListenerThatIsSlowMissesLinesAndIsTold"},
	{F: 60, What: "a consumer panics", Shows: "TestAConsumerThatFailsPanicsOrExitsItsGoroutineIsContained"},
	{F: 61, What: "output and error output come out of order", Shows: "TestBothStreamsInOnePipeKeepTheirOrder"},
	{F: 62, What: "what lies in the pipe at the exit is lost", Shows: "TestNoByteIsLostAtTheExit TestWhatWasPrintedBeforeTheExitArrives TestAHundredRoundsOfTheHardest"},
	{F: 63, What: "it closes its output and lives on", Shows: "TestAnEndOfTheOutputIsNoExit"},
	{F: 64, What: "its reader goes, and SIGPIPE ends it", Shows: "TestAProgramWhoseOutputIsNotTakenIsNotHarmed"},
	{F: 65, What: "a write to a program that does not read", Shows: "TestAWriteToAProgramThatDoesNotReadEnds"},
	{F: 66, What: "the disk is full", Shows: "TestAProgramWhoseOutputIsNotTakenIsNotHarmed TestAFullDiskHoldsUpNobodyAndWhatIsLostIsCounted"},
	{F: 67, What: "two write one file that is rotated", Shows: "TestManyProcessesShareAFile TestAFileAndItsPredecessorsHaveABound"},
	{F: 68, What: "escapes reach the operator's terminal", Shows: "TestLoggedOutputIsRedactedAndCannotForgeALine"},
	{F: 69, What: "the wall clock jumps", Shows: "strategies.TestAClockThatGoesBackwardsDoesNoHarm"},
	{F: 70, What: "the machine is suspended", Why: "delays, graces and thresholds are measured by the clock that stands still with the processes"},
	{F: 71, What: "a crash loop at full speed", Shows: "supervisor.TestAChildThatFailsAtOnceIsTriedEverMoreSlowly supervisor.TestAChildThatDiesJustAfterTheThresholdMakesItsSupervisorGiveUp"},
	{F: 72, What: "the counter of restarts never trips, or always", Shows: "strategies.TestNRestartsWithinThePeriodAreAllowedAndTheNextIsRefused strategies.TestTheWindowAgreesWithAListOfEverythingThatHappened"},
	{F: 73, What: "those that died together come back together", Shows: "strategies.TestJitterAddsAtMostItsShareAndNeverEntersTheState TestManyShortProgramsAllTellTheirEnd"},
	{F: 74, What: "a probe hangs, or forks without end", Shows: "supervisor.TestAPingThatDoesNotReturnIsNotAskedOfTheNextRun supervisor.TestNoChildIsAskedTwiceAtATime"},
	{F: 75, What: "a probe kills who starts slowly", Shows: "supervisor.TestLivenessIsAskedForOnlyWhenTheStartIsComplete supervisor.TestNoRunIsTakenForDeadTooEarly"},
	{F: 76, What: "a probe is answered by the one before", Shows: "TestASuccessorCanHaveThePortOfTheOneBefore"},
	{F: 77, What: "an action is missed because a threshold is skipped", Shows: "TestAQuotaEndsTheRunWhenItWasPassedSeveralTimesInARow"},
	{F: 78, What: "the sign of life is another's", Shows: "TestAMessageOfAStrangerIsRefused notify.TestAStrangerIsRefusedAndCounted"},
	{F: 79, What: "a notification's barrier is ignored", Shows: "notify.TestABarrierFallsWhenEverythingBeforeItWasDelivered notify.TestNoDescriptorThatIsSentStaysOpen"},
	{F: 80, What: "notifications are too long, too many or malformed", Shows: "notify.TestADatagramThatIsTooLongOrNotUnderstoodHarmsNothing notify.TestAtMostAHundredDatagramsAreReadInAnySecond"},
	{F: 81, What: "what is meant for us alone is inherited", Shows: "TestWhatConcernsUsAloneIsNotInherited"},
	{F: 82, What: "the path of the notification socket is too long", Shows: "notify.TestAPlaceThatIsTooLongOrOutOfReachIsAnErrorThatSaysSo"},
	{F: 83, What: "a memory limit misses descendants", Shows: "TestASampleCountsTheProcessAndItsWholeTree TestARunEndedByItsQuotaSaysMemoryOrCPU"},
	{F: 84, What: "statistics of a process that is gone", Shows: "TestAfterTheEndThereAreNoStatistics TestAProcessIsNeverTakenForItsSuccessor"},
	{F: 85, What: "a kill for lack of memory looks like ours", Shows: "TestAKillForLackOfMemoryIsAnEndOfItsOwnKind child.TestEveryExitHasACauseOfTheClosedList"},
	{F: 86, What: "dependents go on, or come back in the wrong order", Shows: "TestDependentsAreStoppedAndStartedInOrder"},
	{F: 87, What: "the stop takes longer than its budget", Shows: "TestStubbornProgramsEndWithinTheBudgetOfTheStop supervisor.TestAStopsBudgetKillsWhatIsLeftAndNamesIt"},
	{F: 88, What: "a second, more urgent stop", Shows: "TestASecondStopThatIsMoreUrgentCounts"},
	{F: 89, What: "events are lost or out of order", Shows: "supervisor.TestReadersSeeEveryEventInOrderOrHowManyTheyMissed TestAListenerThatIsSlowMissesLinesAndIsTold"},
	{F: 90, What: "a thread for each process", Shows: "TestARunningProcessTakesNoThread"},
	{F: 91, What: "starts wait for one another", Shows: "TestExecutionsThatHangHoldUpNoOther TestManyShortProgramsAllTellTheirEnd spawn.TestAThousandStartAtOnce"},
	{F: 92, What: "the configuration changes while it runs", Shows: "supervisor.TestARunningTreeIsNotChangedByANewSpec supervisor.TestScaleStartsAndTerminatesUntilThereAreSoMany"},
	{F: 93, What: "an execution that hangs stops the whole program", Shows: "TestAnExecutionThatHangsDoesNotStopTheProgram spawn.TestAnExecThatHangsHoldsUpNobody"},
	{F: 94, What: "the last descriptor is taken from the program", Shows: "TestTheLastDescriptorsAreLeftForTheProgram"},
	{F: 95, What: "a copy of the program that forgot its hook starts itself", Shows: "isolated.TestACopyWithoutTheHookEndsAndMakesNoCopy isolated.TestAProgramWithoutTheHookMakesNoCopyAndSaysWhatIsMissing"},
	{F: 96, What: "the path of our own program means another after an upgrade", Shows: "isolated.TestACopyRunsTheProgramThatRuns"},
	{F: 97, What: "a program does not bear a limit of its memory", Why: "the limit is the user's, and what the program does about it is the program's end like any other"},
	{F: 98, What: "the race detector delays every exit by a second", Why: "it is the detector that waits, within a program that is built with it"},
	{F: 99, What: "one notification socket for all is flooded", Shows: "TestFourThatFloodTheirSocketsCostASiblingNothing notify.TestFourThatFloodCostASiblingNothing"},
	{F: 100, What: "it writes to our terminal past its output, or types into it", Shows: "TestAProcessCannotReachOurTerminal"},
}

func TestEveryFailureModeHasItsTest(t *testing.T) {
	tests := testsBelow(t, "../../child", "../../supervisor", "../../strategies", "../../metrics")
	rows := map[int]failure{}
	for _, f := range failures {
		if _, twice := rows[f.F]; twice {
			t.Errorf("F%d is there twice", f.F)
		}
		if f.F < 1 || f.F > lastFailure {
			t.Errorf("F%d is no failure mode", f.F)
		}
		if f.What == "" {
			t.Errorf("F%d does not say what fails", f.F)
		}
		if f.Shows != "" && f.Why != "" {
			t.Errorf("F%d has both tests and a reason to have none", f.F)
		}
		for _, name := range strings.Fields(f.Shows) {
			if !tests[name] {
				t.Errorf("F%d: there is no %s", f.F, name)
			}
		}
		rows[f.F] = f
	}
	var open []int
	for n := 1; n <= lastFailure; n++ {
		f, ok := rows[n]
		if !ok {
			t.Errorf("F%d is missing", n)
		}
		if f.Shows+f.Why == "" {
			open = append(open, n)
		}
	}
	if len(open) > 0 {
		t.Error("these have neither a test nor a reason to have none: ", open)
	}
}

// testsBelow are the tests in folders and what is below them: by their names
// alone in this package, otherwise after the name of the folder and a dot. After
// a slash come their subtests, as far as a literal names them.
func testsBelow(t *testing.T, folders ...string) map[string]bool {
	t.Helper()
	tests := map[string]bool{}
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			prefix := filepath.Base(filepath.Dir(path)) + "."
			if prefix == "process." {
				prefix = ""
			}
			for _, decl := range file.Decls {
				if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
					tests[prefix+f.Name.Name] = true
					for _, sub := range subtestsIn(f) {
						tests[prefix+f.Name.Name+"/"+sub] = true
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return tests
}

// subtestsIn are the keys of the tables in a test, and what Run is given.
func subtestsIn(f *ast.FuncDecl) (names []string) {
	add := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if name, err := strconv.Unquote(lit.Value); err == nil {
				names = append(names, name)
			}
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			add(n.Key)
		case *ast.CallExpr:
			if sel, ok := n.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Run" && len(n.Args) == 2 {
				add(n.Args[0])
			}
		}
		return true
	})
	return names
}
