package process_test

import (
	"strconv"
	"strings"
	"testing"
)

// A seedRow is one thing that a supervisor does from which this library comes.
type seedRow struct {
	// Row is its letter and number.
	Row string
	// What it does.
	What string
	// Shows are the tests which show that it is done here, or what is done
	// instead: those of other packages as in strategies.TestX, subtests after a
	// slash.
	Shows []string
	// Why says, where it is not copied, which defect it is, or what stands in
	// its place.
	Why string
}

// A seed is one of those supervisors.
type seed struct {
	letter string
	last   int // the number of its last row
	name   string
}

var seeds = []seed{
	{"T", 36, "Twisted's ProcessMonitor"},
	{"L", 24, "Launchpad's ProcessMonitorProtocolWithTimeout"},
	{"C", 13, "Celery's OFASupervisor"},
	{"G", 33, "gaffer's Process, with its manager"},
}

// Tests that show several rows.
const (
	seedByName    = "TestProcessesAreAddedStartedStoppedAndRemovedByName"
	seedInDelay   = "TestAStopDuringTheDelayStartsNothing"
	seedDelays    = "TestADeathIsFollowedByTheDelayThatTwistedWouldMake"
	seedMissing   = "TestAProgramThatIsMissingForAWhileIsTriedEverMoreSlowly"
	seedKilled    = "TestAStubbornProcessIsKilledAfterItsKillTimeWithItsGroup"
	seedInTime    = "TestAnEndInTimeCancelsTheKill"
	seedLadder    = "TestTheLadderOfLaunchpadInterruptsAndKillsFiveSecondsLater"
	seedOneByOne  = "TestNotificationsAreRunOneAfterTheOther"
	seedTheFirst  = "TestTheFirstFailureIsTheResult"
	seedTheWait   = "TestTheResultWaitsForTheNotifications"
	seedProgress  = "TestOnlyProgressPutsOffTheTimeout"
	seedTimedOut  = "TestOneCallThatTakesTooLongIsEndedAndSaysSo"
	seedNoSign    = "supervisor.TestARunThatGivesNoSignOfLifeInTimeIsStoppedAndItsExitSaysWhichItWas"
	seedPing      = "TestAPingThatIsNotAnsweredMeansANewProcess"
	seedFourth    = "TestTheFourthRestartWithinTheTimeEndsTheChildAndItsSupervisor"
	seedHandle    = "TestAHandleKnowsWhatAProcessObjectKnows"
	seedWords     = "TestWordsAreSplitAsAShellSplitsThem"
	seedSignals   = "TestAProcessIsActiveFromItsStartToItsStopAndHearsSignals"
	seedLabels    = "TestEachStreamIsHeardByItsLabel"
	seedObservers = "TestNothingIsReadWhileNobodyListens"
)

const seedBubbles = "no clock is handed in: time is that of the tests' bubbles (testing/synctest)"

var seedRows = []seedRow{
	{Row: "T1", What: "threshold, kill time, smallest and largest delay", Shows: []string{seedDelays, seedKilled, "strategies.TestTwistedWaitedAsLong"}},
	{Row: "T2", What: "add by name: it runs at once if the monitor does, otherwise with it", Shows: []string{seedByName, "TestNothingRunsBeforeTheTreeAndThenAllInOrder"}},
	{Row: "T3", What: "arguments without a shell, the program found through its own PATH", Shows: []string{"TestArgumentsAreWordsThatNoShellSees", "TestAProgramIsLookedUpInItsOwnPath"}},
	{Row: "T4", What: "an environment", Shows: []string{"TestACleanEnvironmentIsThatOfTheCommand", "TestTheLaterOfTwoEntriesCounts"},
		Why: "an empty environment by default surprises: it has to be asked for"},
	{Row: "T5", What: "a directory, and one that is not there", Shows: []string{"TestArgumentsEnvironmentAndDirectoryArrive", seedMissing + "/its directory", "TestAStartErrorNamesWhatWasWrongAndWhetherItIsForNow/a directory that is not there"}},
	{Row: "T6", What: "user and group", Shows: []string{"TestAProcessRunsAsItsUserWithTheGroupsOfThatUser", "spawn.TestTheChildIsWhatWasAsked", "TestWhoIsNotRootCannotBecomeAnother"}},
	{Row: "T7", What: "start: all in the order in which they were added", Shows: []string{"TestNothingRunsBeforeTheTreeAndThenAllInOrder", "supervisor.TestAMissingProgramFailsTheStartAndRollsItBack"},
		Why: "one that cannot start left the monitor half started; here the start fails and nothing is left of it"},
	{Row: "T8", What: "stop: all are stopped and pending restarts cancelled", Shows: []string{"TestAfterTheStopNoneIsLeftAndNoneComesBack", seedInDelay},
		Why: "nobody learnt when the processes were gone; here the stop returns when they are"},
	{Row: "T9", What: "start by name, and not twice", Shows: []string{seedByName, "TestStartsAndStopsFromEverywhereAreEachDoneOrRefused"}},
	{Row: "T10", What: "stop by name", Shows: []string{seedByName, seedInDelay},
		Why: "a stop that is followed by a restart is one in name only, and one that leaves a pending restart is none; a restart is asked for by Bounce"},
	{Row: "T11", What: "the kill when the kill time is over", Shows: []string{seedKilled, "TestAProcessThatIgnoresTheRequestIsKilledWhenTheGraceIsOver"}, Why: "the process alone was killed; here its group is"},
	{Row: "T12", What: "an end cancels the kill", Shows: []string{seedInTime}},
	{Row: "T13", What: "two stops before the end", Shows: []string{"TestTwentyStopsAtOnceGetTheSameAnswer", "TestManyStopsAreOne"}, Why: "each armed a kill of its own; here all are one"},
	{Row: "T14", What: "the delay that doubles, and goes after a long life", Shows: []string{seedDelays, "strategies.TestTwistedWaitedAsLong", "strategies.TestARunAsLongAsTheThresholdIsFollowedAtOnceAndResetsTheDelay"}},
	{Row: "T15", What: "a restart is never made within the death", Shows: []string{"TestInstantDeathsAreFollowedByRestartsWithoutEnd"}},
	{Row: "T16", What: "a restart only of what is still known", Shows: []string{seedByName, seedInDelay + "/before it is forgotten"}},
	{Row: "T17", What: "a death that was asked for", Shows: []string{"TestRestartAllReplacesEveryProcessAtOnce", "supervisor.TestADeliberateStopIsNoFailure"}, Why: "it counted as an early death, and was followed by a delay"},
	{Row: "T18", What: "the exit status means nothing", Shows: []string{seedDelays, "supervisor.TestWhoIsRestarted/transient: after a failure", seedFourth},
		Why: "that is one choice of several here, the default; and there is a limit"},
	{Row: "T19", What: "restart all", Shows: []string{"TestRestartAllReplacesEveryProcessAtOnce"}},
	{Row: "T20", What: "remove by name", Shows: []string{seedByName, seedInDelay + "/before it is forgotten"}, Why: "a removal during the delay made the timer fail"},
	{Row: "T21", What: "remove, and add again while the old process dies", Shows: []string{"TestANameCanBeGivenAgainWhileItsOldProcessIsDying", seedInDelay + "/before another takes its place"},
		Why: "the new one was delayed by the life of the old one"},
	{Row: "T22", What: "each line of both streams, tagged with the name", Shows: []string{"TestLinesOfBothStreamsAreTaggedWithTheNameOfTheirProcess"}},
	{Row: "T23", What: "bytes that are not UTF-8", Shows: []string{"TestLinesOfBothStreamsAreTaggedWithTheNameOfTheirProcess", "TestEveryByteArrivesAsItWasPrinted"}},
	{Row: "T24", What: "a last line without its end", Shows: []string{"TestALineIsWholeOrMarkedAsPartial", "TestLinesOfBothStreamsAreTaggedWithTheNameOfTheirProcess"}, Why: "every stream got an empty line at its end"},
	{Row: "T25", What: "a line longer than 16384 bytes", Shows: []string{"TestALineOfAnyLengthLeavesItsProcessAlone", "TestALongLineComesInMarkedPieces"}, Why: "it broke the pipe and so ended the process"},
	{Row: "T26", What: "the end is seen when all pipes are closed", Shows: []string{"TestNothingThatHoldsThePipeDelaysTheExit"}, Why: "a grandchild that held one put off the restart for its whole life"},
	{Row: "T27", What: "a pipe for the input that nobody writes to", Shows: []string{"TestStandardInputIsEmpty"}, Why: "whoever read it waited for ever"},
	{Row: "T28", What: "a missing program", Shows: []string{seedMissing + "/its program"}, Why: "it counted as running for ever, and could not be stopped"},
	{Row: "T29", What: "each process is waited for by its number", Shows: []string{"TestTwentyUnwaitedChildrenBesideTwentyOrphans"}, Why: "orphans that were adopted stayed zombies; here a Reaper can be added"},
	{Row: "T30", What: "why it ended: code, signal, status", Shows: []string{"TestTheExitCodeTheSignalAndTheCoreAreTold"}},
	{Row: "T31", What: "signals, also to one that has ended", Shows: []string{"TestASignalIsSentOnceToEachInScope", "TestASignalNeverHitsWhoGotTheNumber", seedHandle}, Why: "some had names; Go has types for all"},
	{Row: "T32", What: "default signals, no foreign descriptors, our session", Shows: []string{"TestNoSignalIsIgnoredOrBlockedInAProcess", "TestOurDescriptorsAreNotTheProcesss", "TestAnInterruptFromTheTerminalReachesOnlyUs"},
		Why: "an interrupt from the terminal reached the processes too"},
	{Row: "T33", What: "lives are measured by the wall clock", Shows: []string{"strategies.TestARunAsLongAsTheThresholdIsFollowedAtOnceAndResetsTheDelay", "strategies.TestAClockThatGoesBackwardsDoesNoHarm"}, Why: "a step of the clock changed delays; here it is the monotonic one"},
	{Row: "T34", What: "how it is shown: name, user and arguments", Shows: []string{"TestACommandShowsTheNameOfItsProgramAndNothingElse"}, Why: "arguments may be secrets"},
	{Row: "T35", What: "views as tuples, and what is saved of it", Shows: []string{"TestASnapshotTellsOfAProcessWhatGafferDid", "TestADefinitionGoesToJSONAndBack"}, Why: "they had gone out of use; a snapshot shows what runs, and a Config is saved"},
	{Row: "T36", What: "a command line for it", Shows: []string{seedDelays, seedKilled, "TestEveryMistakeIsToldWithItsFieldAndNeverWithASecret"}, Why: "this is a library: the four numbers are fields, and an empty command is a mistake"},

	{Row: "L1", What: "five seconds between the stages, by a clock that can be handed in", Shows: []string{seedLadder, "TestANotificationThatNeverReturnsFailsWhenItsTimeIsOver"}, Why: seedBubbles},
	{Row: "L2", What: "SIGINT first, SIGKILL later", Shows: []string{seedLadder}},
	{Row: "L3", What: "a kill that comes too late is no error", Shows: []string{"TestTheEndAndTheKillMayCoincide"}},
	{Row: "L4", What: "an end cancels the kill", Shows: []string{seedInTime, seedLadder + "/one that obeys"}},
	{Row: "L5", What: "one result, one lock of notifications, one first failure", Shows: []string{seedOneByOne, seedTheFirst, seedTheWait}},
	{Row: "L6", What: "notifications run one after the other", Shows: []string{seedOneByOne}},
	{Row: "L7", What: "a notification that fails ends the process", Shows: []string{"TestANotificationThatFailsEndsTheProcessAndIsTheResult"}},
	{Row: "L8", What: "after a failure none is run", Shows: []string{"TestAfterANotificationThatFailedNoneIsRun"}},
	{Row: "L9", What: "the first failure counts", Shows: []string{seedTheFirst + "/of two reports", seedTheFirst + "/of a report and a notification"}},
	{Row: "L10", What: "an exit is the result unless something failed before, after all notifications", Shows: []string{seedTheFirst + "/of a report and the kill that follows", seedTheWait}},
	{Row: "L11", What: "a notification that fails after the exit", Shows: []string{seedTheWait + "/one that fails", seedTheFirst + "/of an exit and a notification that goes on"}},
	{Row: "L12", What: "the result is nothing, or the failure", Shows: []string{seedTheWait, "TestANotificationThatFailsEndsTheProcessAndIsTheResult"}},
	{Row: "L13", What: "a notification that never returns", Shows: []string{"TestANotificationThatNeverReturnsFailsWhenItsTimeIsOver"}, Why: "the result never came; here its time is limited"},
	{Row: "L14", What: "a descendant that holds the pipe", Shows: []string{seedTimedOut, "TestNothingThatHoldsThePipeDelaysTheExit"}, Why: "the result never came"},
	{Row: "L15", What: "a timeout is set", Shows: []string{seedProgress, "TestASilentProcessIsEndedByAbortAndThenStop"}, Why: "it could be changed while it runs; here it is part of the spec"},
	{Row: "L16", What: "the timeout begins again", Shows: []string{seedProgress, "supervisor.TestARunThatGivesSignsOfLifeGoesOn/it beats", "TestEachOutputPutsOffTheEndOfTheSilence"}},
	{Row: "L17", What: "the timeout comes once", Shows: []string{seedProgress, "supervisor.TestALateVerdictUponAnEarlierRunDoesNothing"}},
	{Row: "L18", What: "what is activity its owner says", Shows: []string{seedProgress}},
	{Row: "L19", What: "the timeout begins with the process", Shows: []string{"supervisor.TestAProcessThatGivesNoSignOfLifeIsKilledAndStartedAgain", seedNoSign + "/it never beats"}},
	{Row: "L20", What: "a timeout is the result, however the process then ends", Shows: []string{seedProgress, "supervisor.TestAProcessThatGivesNoSignOfLifeIsKilledAndStartedAgain", "TestASilentProcessIsEndedByAbortAndThenStop"}},
	{Row: "L21", What: "after the exit there is no timeout", Shows: []string{"TestSilenceAfterTheEndIsNoFailure"}},
	{Row: "L22", What: "timers of the clock that was handed in", Shows: []string{"TestANotificationThatNeverReturnsFailsWhenItsTimeIsOver"}, Why: seedBubbles},
	{Row: "L23", What: "run a program once, with a timeout", Shows: []string{"TestOneCallReturnsOutputAndExit", seedTimedOut, "TestOneCallOfWhatCannotStart", "TestASilentProcessIsEndedByAbortAndThenStop"},
		Why: "its environment was empty; here it is ours unless it is to be clean"},
	{Row: "L24", What: "run a program once, and return output and exit", Shows: []string{"TestOneCallReturnsOutputAndExit", "TestTheEndAndTheTimeoutMayCoincide", "TestOneCallKeepsSoMuchAndTellsTheRest"},
		Why: "the output had no bound, and the timeout asked nobody first"},

	{Row: "C1", What: "something that can be called runs in a process, with arguments", Shows: []string{"TestATemplateTakesFurtherArguments", "supervisor.TestGoroutinesAndProgramsShareAFate"}},
	{Row: "C2", What: "a ping that takes too long means that it is dead", Shows: []string{seedPing, seedNoSign + "/its ping ends with its context"}, Why: "the timer was never started, and the ping asked the process nothing"},
	{Row: "C3", What: "join, and then terminate", Shows: []string{"TestAJoinComesBeforeTheTermination", "TestStubbornProgramsEndWithinTheBudgetOfTheStop"}, Why: "nothing followed the termination; here the kill does"},
	{Row: "C4", What: "more than so many restarts within such a time end both", Shows: []string{seedFourth, "TestThreeRestartsWithinTheTimeAreAllowed", "TestAQuietTimeForgetsTheRestarts"}, Why: "the count was zeroed at every look and could never be reached"},
	{Row: "C5", What: "when the window is looked at", Shows: []string{"strategies.TestAnAgeEqualToThePeriodStillCounts", "strategies.TestALimitOfZeroRefusesTheFirstRestart", seedFourth}, Why: "a limit of zero was passed without any restart"},
	{Row: "C6", What: "the time from one ping to the next", Shows: []string{seedNoSign + "/its ping says no three times in a row", "supervisor.TestNoChildIsAskedTwiceAtATime"}},
	{Row: "C7", What: "start, and wait for the end", Shows: []string{seedFourth, "TestStubbornProgramsEndWithinTheBudgetOfTheStop"}, Why: "the last join had no limit"},
	{Row: "C8", What: "there is one process at a time", Shows: []string{"TestAfterACrashThereIsOneOfEachProcess"}, Why: "it went on pinging the dead one, and started another at every look"},
	{Row: "C9", What: "dead or late, it is restarted", Shows: []string{seedPing}},
	{Row: "C10", What: "what a ping that is late raises", Shows: []string{seedPing, seedNoSign + "/its ping ends with its context"}, Why: "it was raised where nobody could catch it; here the exit says so"},
	{Row: "C11", What: "an error of its own for too many restarts", Shows: []string{seedFourth, "supervisor.TestTheErrorOfASupervisorUnwrapsToTheExitThatCausedIt"}},
	{Row: "C12", What: "alive, number, exit code, join with a timeout, terminate", Shows: []string{seedHandle}},
	{Row: "C13", What: "it was given up in favour of another program", Shows: []string{seedFourth, seedPing, "TestAfterACrashThereIsOneOfEachProcess"}, Why: "it had not worked; what it was meant to do works here"},

	{Row: "G1", What: "a program with words of its own, and then arguments", Shows: []string{"TestADefinitionMakesACommand", seedWords}},
	{Row: "G2", What: "variables in arguments", Shows: []string{seedWords, "TestAVariableThatIsNotSetIsAMistake"}, Why: "those in the program's own words stayed; here all are put in"},
	{Row: "G3", What: "the environment, with ours or without", Shows: []string{"TestTheEnvironmentOfOneDefinitionIsNotAnothers", "TestTheLaterOfTwoEntriesCounts"}, Why: "ours came after its own, and one's leaked into another's"},
	{Row: "G4", What: "user and group by name or number", Shows: []string{"TestAProcessRunsAsTheUserOfItsDefinition", "TestAStartErrorNamesWhatWasWrongAndWhetherItIsForNow/an unknown user"}, Why: "they were checked and then forgotten"},
	{Row: "G5", What: "its directory, or else ours", Shows: []string{"TestAProcessRunsAsItsDefinitionSays", "TestADefinitionWithoutADirectoryStartsInOurs"}},
	{Row: "G6", What: "a shell", Shows: []string{"TestAProcessRunsAsItsDefinitionSays", seedWords}},
	{Row: "G7", What: "detach", Shows: []string{"TestADetachedProcessOutlivesTheStop", "TestWhoMayLiveOnOutlivesAProgramThatWasKilled"}},
	{Row: "G8", What: "two labels for two streams, or one for both", Shows: []string{seedLabels, "TestOneLabelTwiceIsOneStream"}, Why: "a stream without one was lost; here it has its own"},
	{Row: "G9", What: "output as events, by label", Shows: []string{seedLabels, "TestAListenerThatIsSlowMissesLinesAndIsTold"}, Why: "what came while nobody listened was lost; here the last lines are kept"},
	{Row: "G10", What: "the end closes the pipes", Shows: []string{"TestNoByteIsLostAtTheExit", "TestWhatWasPrintedBeforeTheExitArrives"}, Why: "what still lay in them was lost"},
	{Row: "G11", What: "whoever listens comes and goes", Shows: []string{seedLabels}},
	{Row: "G12", What: "several write to its input", Shows: []string{"TestWritersTakeTurns", "TestAPipedInputIsReadToItsEnd", "TestAWriteToAProgramThatDoesNotReadEnds", "TestWithoutAPipeThereIsNoInput"},
		Why: "it had no end, no bound and no error"},
	{Row: "G13", What: "further streams from descriptor 3 on", Shows: []string{"TestStreamsAndChannelsHaveTheDescriptorsFromThreeOnInTheirOrder", "TestAStreamIsASocketBothCanUse"}},
	{Row: "G14", What: "open files that are passed on", Shows: []string{"TestStreamsAndChannelsHaveTheDescriptorsFromThreeOnInTheirOrder", "TestAnOpenFileIsPassedOnButNotWritten"}},
	{Row: "G15", What: "spawn, and its failure", Shows: []string{"TestAStartErrorNamesWhatWasWrongAndWhetherItIsForNow", "TestAOneOffProcessRunsOnceBesideThePool"}},
	{Row: "G16", What: "active, closed, number, information, status", Shows: []string{"TestASnapshotTellsOfAProcessWhatGafferDid", seedSignals, seedHandle}},
	{Row: "G17", What: "stop, and any signal", Shows: []string{seedSignals, "TestASignalIsSentOnceToEachInScope"}},
	{Row: "G18", What: "statistics as events while somebody listens", Shows: []string{seedObservers, "TestAListenerThatDoesNotReadDoesNoHarm"}, Why: "who had left was called all the same"},
	{Row: "G19", What: "a watcher that ends with its process", Shows: []string{"TestAWatchEndsWithTheProcessOrItsContext", seedObservers}},
	{Row: "G20", What: "memory, processor and age", Shows: []string{"TestASampleCountsTheProcessAndItsWholeTree", "TestTheShareOfAProcessorIsThatSinceTheSampleBefore", "TestAfterTheEndThereAreNoStatistics"},
		Why: "they were text for people, without the hours; here they are numbers"},
	{Row: "G21", What: "a definition as data, written and read", Shows: []string{"TestADefinitionGoesToJSONAndBack", "TestEveryMistakeOfADefinitionNamesFieldAndValue", "TestADefinitionCanBeReadFromYAML"}},
	{Row: "G22", What: "a graceful timeout", Shows: []string{"TestThePartOfASecondOfAGracefulTimeoutCounts"}, Why: "parts of a second were cut off, and once taken for nanoseconds"},
	{Row: "G23", What: "the kill of those whose time is over", Shows: []string{"TestThePartOfASecondOfAGracefulTimeoutCounts", "supervisor.TestChildrenThatStopTogetherShareOneTimer"}, Why: "it looked every tenth of a second, and the exit could get lost"},
	{Row: "G24", What: "it is kept alive without delay and without limit", Shows: []string{seedDelays, seedFourth, "supervisor.TestAChildThatFailsAtOnceIsTriedEverMoreSlowly"}, Why: "one that dies at once took the whole machine; here there is a delay"},
	{Row: "G25", What: "flapping: wait, and at last give up", Shows: []string{seedFourth, "TestAQuietTimeForgetsTheRestarts", "strategies.TestAChildThatDiesJustAfterTheThresholdIsRefusedItsFourthRestart"},
		Why: "with its defaults it could never give up, and counted the ends that were asked for"},
	{Row: "G26", What: "a stop while it waits", Shows: []string{seedInDelay + "/of the child"}, Why: "it came back all the same"},
	{Row: "G27", What: "scale", Shows: []string{"supervisor.TestADefinitionOfAProcessCanBeScaled", "supervisor.TestScaleTerminatesTheYoungestFirstAndTogether"},
		Why: "by a difference two callers get a number that neither wanted; here it is how many there shall be"},
	{Row: "G28", What: "a process of one run beside the job", Shows: []string{"TestAOneOffProcessRunsOnceBesideThePool", "TestOneCallReturnsOutputAndExit"}},
	{Row: "G29", What: "reload, update and restart", Shows: []string{"TestAReloadIsHeardByTheProcessThatRuns", "TestRestartAllReplacesEveryProcessAtOnce", seedInDelay + "/before another takes its place"},
		Why: "a reload ran old and new beside each other; here a successor waits for the end, and a reload is the program's own"},
	{Row: "G30", What: "sessions, and names in them", Shows: []string{"TestGroupsOfProcessesWithTheSameNamesAreApart"}},
	{Row: "G31", What: "events", Shows: []string{"TestEachEventOfAProcessIsToldOnceToEachWhoListens", "supervisor.TestEventsComeInOrderAndSayHowManyAreMissing", "supervisor.TestFaultAListenerThatMisbehaves"},
		Why: "some came twice, and what was dropped was dropped silently"},
	{Row: "G32", What: "stop all, and say so when they are gone", Shows: []string{"TestAfterTheStopNoneIsLeftAndNoneComesBack", "TestTwentyStopsAtOnceGetTheSameAnswer"}, Why: "it could be said more than once"},
	{Row: "G33", What: "statistics of a job", Shows: []string{"TestTheStatisticsOfAGroupAreThoseOfItsProcesses", "TestASampleOfAllHasEveryProcessThatRuns"}, Why: "those of an empty one were nonsense"},
}

func TestEveryRowOfTheSeedsIsShown(t *testing.T) {
	tests := testsBelow(t, "../../child", "../../supervisor", "../../strategies")
	seen := map[string]bool{}
	for _, row := range seedRows {
		if seen[row.Row] {
			t.Errorf("%s is there twice", row.Row)
		}
		seen[row.Row] = true
		for _, fault := range row.faults(tests) {
			t.Errorf("%s: %s", row.Row, fault)
		}
	}
	rows := 0
	for _, s := range seeds {
		for n := 1; n <= s.last; n++ {
			if !seen[s.letter+strconv.Itoa(n)] {
				t.Errorf("%s%d of %s is missing", s.letter, n, s.name)
			}
		}
		rows += s.last
	}
	if len(seen) != rows {
		t.Errorf("there are %d rows, of %d", len(seen), rows)
	}
}

// faults are what is wrong with a row, given all tests by name.
func (r seedRow) faults(tests map[string]bool) (all []string) {
	for _, name := range r.Shows {
		if !tests[name] {
			all = append(all, "there is no test "+name)
		}
	}
	if len(r.Shows) == 0 {
		all = append(all, "nothing shows it")
	}
	if r.What == "" || strings.ContainsAny(r.What+r.Why, "\n") {
		all = append(all, "it is not one line")
	}
	return all
}

func TestTheTableOfTheSeedsIsNotTakenIn(t *testing.T) {
	tests := map[string]bool{"TestA": true, "TestA/a": true}
	for name, row := range map[string]seedRow{
		"a test that is missing":    {What: "x", Shows: []string{"TestA", "TestB"}},
		"a subtest that is missing": {What: "x", Shows: []string{"TestA/b"}},
		"a reason alone":            {What: "x", Why: "so"},
		"nothing to show":           {Shows: []string{"TestA"}},
	} {
		if len(row.faults(tests)) == 0 {
			t.Errorf("%s passes", name)
		}
	}
	if faults := (seedRow{What: "x", Shows: []string{"TestA", "TestA/a"}}).faults(tests); faults != nil {
		t.Error(faults)
	}
}
