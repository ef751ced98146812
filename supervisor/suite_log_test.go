package supervisor_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
)

// OTP's reports are our warnings and errors.
func TestWhatIsReported(t *testing.T) {
	playScenes(t, map[string]scene{
		"every exit of a permanent child": {kids: "a", text: `
			start     => +a up
			a ends    => +a
			a fails   => +a
			a panics  => +a
			a goexits => +a
			a cancels => +a`, log: `
			level=WARN msg="child exited" path=a exit=normal next=restarts
			level=WARN msg="child exited" path=a exit="error: life" next=restarts
			level=WARN msg="child exited" path=a exit="panic: life" next=restarts
			level=WARN msg="child exited" path=a exit="its goroutine ended (runtime.Goexit)" next=restarts
			level=WARN msg="child exited" path=a exit="error: context canceled" next=restarts`},
		"of a transient child the failures": {kids: "a transient", text: `
			start     => +a up
			a ends    =>
			restart a => +a ok
			a fails   => +a
			a panics  => +a
			a goexits => +a
			a cancels => +a`, log: `
			level=WARN msg="child exited" path=a exit="error: life" next=restarts
			level=WARN msg="child exited" path=a exit="panic: life" next=restarts
			level=WARN msg="child exited" path=a exit="its goroutine ended (runtime.Goexit)" next=restarts
			level=WARN msg="child exited" path=a exit="error: context canceled" next=restarts`},
		"of a temporary child too": {kids: "a temporary; b temporary; c temporary; d temporary; e temporary", text: `
			start     => +a +b +c +d +e up
			a ends    =>
			b fails   =>
			c panics  =>
			d goexits =>
			e cancels =>`, log: `
			level=WARN msg="child exited" path=b exit="error: life" next=goes
			level=WARN msg="child exited" path=c exit="panic: life" next=goes
			level=WARN msg="child exited" path=d exit="its goroutine ended (runtime.Goexit)" next=goes
			level=WARN msg="child exited" path=e exit="error: context canceled" next=goes`},
		"of a start the failure, and what comes of it": {kids: "a; b", text: `
			next b fails
			start => +a +b xb -a over:init_failed:b`, log: `
			level=WARN msg="child exited" path=b exit="failed to start: life" next=ends`},
		"each failed restart, and the end": {sup: "2/1h", kids: "a; b", text: `
			start   => +a +b up
			next b panics panics
			b fails => +b xb +b xb -a over:gave_up:b`, log: `
			level=WARN msg="child exited" path=b exit="error: life" next=restarts
			level=WARN msg="child exited" path=b exit="failed to start: life" next=restarts
			level=WARN msg="child exited" path=b exit="failed to start: life" next=restarts
			level=ERROR msg="supervisor gives up" path=b exit="failed to start: life"`},
		"not what a call asked for: its caller is told": {sup: "0/1h", kids: "a", text: `
			start       => +a up
			next b fails panics
			start b     => +b xb start_failed
			start b     => +b xb start_failed
			terminate a => -a ok
			next a fails panics fails panics fails
			restart a   => +a xa start_failed
			restart a   => +a xa start_failed
			restart a   => +a xa start_failed
			restart a   => +a xa start_failed
			restart a   => +a xa start_failed
			restart a   => +a ok
			bounce a    => -a +a ok`, log: "none"},
		"not an automatic shutdown": {sup: "any_significant", kids: "a; b transient significant", text: `
			start  => +a +b up
			b ends => -a over`, log: "none"},
		"who dies while its group stops, once": {sup: "one_for_all 1/1h", kids: "a; b; c cleanup=1s", text: `
			start    => +a +b +c up
			b fails  => -c
			a fails  =>
			after 1s => +a +b +c`, log: `
			level=WARN msg="child exited" path=b exit="error: life" next=restarts
			level=WARN msg="child exited" path=a exit="error: life" next=follows`},
		"each child of a template that had to be killed": {sup: "dynamic", text: `
			start                       => up
			start a cleanup=1h grace=1s => +a ok
			stop                        => -a
			after 1s                    => !a over`, log: `
			level=WARN msg="child killed" path=a reason=shutdown
			level=WARN msg="child exited" path=a exit="killed (shutdown): life" next=follows reason=shutdown`},
	})
}

// What a child may answer when it is stopped, alone or with those of its
// template, and which answers are reported.
func TestWhatIsReportedOfAStop(t *testing.T) {
	exited := func(exit string) string {
		return `level=WARN msg="child exited" path=a exit="` + exit + `" next=follows reason=shutdown`
	}
	const killed = `level=WARN msg="child killed" path=a reason=shutdown` + "\n"
	cases := map[string]string{ // the words about a child, and the log
		"answers=ends":    "none",
		"answers=cancels": "none",
		"answers=fails":   exited("error: life"),
		"answers=panics":  exited("panic: life"),
		"answers=goexits": exited("its goroutine ended (runtime.Goexit)"),
		"slow":            killed + exited("killed (shutdown): life"),
		"brutal slow":     exited("killed (shutdown): life"), // it has a say all the same
	}
	for _, restart := range []string{"", "transient ", "temporary "} {
		for words, log := range cases {
			t.Run(restart+words, func(t *testing.T) {
				synctest.Test(t, scene{kids: "a grace=1s " + restart + words, text: `
					start => +a up
					stop  =>` + stopOf(words), log: log}.play)
			})
			t.Run("of a template, "+restart+words, func(t *testing.T) {
				synctest.Test(t, scene{sup: "dynamic", text: `
					start => up
					start a grace=1s ` + restart + words + ` => +a ok
					stop  =>` + stopOf(words), log: log}.play)
			})
		}
	}
}

// stopOf is what is seen of the stop of a child that the words are about.
func stopOf(words string) string {
	switch {
	case strings.HasPrefix(words, "brutal"):
		return " -a !a over"
	case words == "slow":
		return " -a\nafter 1s => !a over"
	}
	return " -a over"
}

// A process dies of the kill that its spec asks for, and nothing is wrong then.
func TestABrutalKillIsNotReported(t *testing.T) {
	for name, tt := range map[string]struct {
		restart child.Restart
		grace   time.Duration
		want    int // lines
	}{
		"permanent":                      {child.Permanent, child.BrutalKill, 0},
		"transient":                      {child.Transient, child.BrutalKill, 0},
		"temporary":                      {child.Temporary, child.BrutalKill, 0},
		"unless it was for want of time": {child.Permanent, time.Second, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				spec := child.Spec{Name: "a", Restart: tt.restart, Shutdown: tt.grace, Run: child.Func(func(ctx context.Context) error {
					<-child.Killed(ctx)
					return &child.StatusError{Signal: syscall.SIGKILL}
				})}
				var log bytes.Buffer
				options := supervisor.Options{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))}
				sup, err := options.Start(context.Background(), supervisor.Spec{Name: "root", Children: []child.Specer{spec}})
				if err != nil {
					t.Fatal(err)
				}
				if err := sup.Stop(context.Background()); err != nil {
					t.Error(err)
				}
				if got := strings.Count(log.String(), "\n"); got != tt.want {
					t.Errorf("got %d lines, want %d:\n%s", got, tt.want, log.String())
				}
			})
		})
	}
}

// The error of a supervisor lists the failures of those who were stopped, to
// the last, which is the first of its children.
func TestTheFailuresOfAStopAreListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := func(name string, err error) child.Spec {
			return child.Spec{Name: name, Run: child.Func(func(ctx context.Context) error { <-ctx.Done(); return err })}
		}
		killed := func(name string, grace time.Duration) child.Spec {
			return child.Spec{Name: name, Shutdown: grace, Run: child.Func(func(ctx context.Context) error {
				<-child.Killed(ctx)
				return &child.StatusError{Signal: syscall.SIGKILL}
			})}
		}
		err := quiet.Run(context.Background(), supervisor.Spec{Name: "root", Intensity: never, Backoff: noDelay, Children: []child.Specer{
			answers("first", errLife), answers("clean", nil), killed("brutal", child.BrutalKill), killed("slow", time.Second), answers("told", context.Canceled),
			child.Spec{Name: "cause", Run: child.Func(func(context.Context) error { return errLife })},
			answers("last", errLife),
		}})
		var exit *supervisor.ExitError
		if !errors.As(err, &exit) {
			t.Fatalf("got %v", err)
		}
		var got []string
		for _, a := range exit.Answers {
			got = append(got, last(a.Path))
		}
		if want := []string{"last", "slow", "first"}; !slices.Equal(got, want) || exit.Child != "root/cause" {
			t.Errorf("got %v because of %s, want %v", got, exit.Child, want)
		}
	})
}

func TestStartsOfCallsAreQuieterThanRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		options := supervisor.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}
		fail := make(chan error)
		spec := child.Spec{Name: "a", Backoff: noDelay, Run: child.Func(func(ctx context.Context) error {
			select {
			case err := <-fail:
				return err
			case <-ctx.Done():
				return nil
			}
		})}
		sup, err := options.Start(context.Background(), supervisor.Spec{Name: "root"})
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		_, err = sup.Ref().StartChild(ctx, spec)
		err = errors.Join(err, sup.Ref().TerminateChild(ctx, "a"), sup.Ref().RestartChild(ctx, "a"))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		calls := strings.Count(log.String(), "child started")
		fail <- errLife
		synctest.Wait()
		if err := sup.Stop(ctx); err != nil {
			t.Error(err)
		}
		if restarts := strings.Count(log.String(), "child started"); calls != 0 || restarts != 1 {
			t.Errorf("at info, %d starts of calls and %d restarts:\n%s", calls, restarts, log.String())
		}
	})
}

// What the comment on Options.Logger says, line by line.
func TestHowLoudAChangeIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		plain := func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.LevelKey || a.Key == slog.MessageKey || a.Key == "next" {
				return a
			}
			return slog.Attr{}
		}
		options := supervisor.Options{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: plain}))}
		want := func(after string, lines ...string) {
			t.Helper()
			synctest.Wait()
			for i, line := range lines {
				level, rest, _ := strings.Cut(line, " ")
				msg, next, _ := strings.Cut(rest, ", ")
				lines[i] = "level=" + level + ` msg="` + msg + `"`
				if next != "" {
					lines[i] += " next=" + next
				}
			}
			if got := strings.Split(strings.TrimSpace(log.String()), "\n"); !slices.Equal(got, lines) {
				t.Errorf("after %s got\n%s\nwant\n%s", after, strings.Join(got, "\n"), strings.Join(lines, "\n"))
			}
			log.Reset()
		}
		j, m, release := new(journal), mortals{}, make(chan struct{})
		deaf := deafTo(release, child.Wait)
		w := m.child(j, "w")
		w.Backoff, w.Ready = noDelay, child.Readiness{}
		sup, err := options.Start(t.Context(), treeOf("root", w, deaf))
		if err != nil {
			t.Fatal(err)
		}
		want("the start", "DEBUG child started", "DEBUG child started")
		m["w"] <- errLife
		want("a failure", "WARN child exited, restarts", "INFO child started")
		m["w"] <- nil
		want("a good end and a restart", "WARN child exited, restarts", "INFO child started")
		if err := sup.Ref().TerminateChild(t.Context(), "w"); err != nil {
			t.Error(err)
		}
		want("a call", "DEBUG child told to stop", "INFO child exited, stays")
		fails := child.Spec{Name: "fails", Ready: child.Readiness{Call: true}, Run: child.Func(func(context.Context) error { return errLife })}
		if _, err := sup.Ref().StartChild(t.Context(), fails); err == nil {
			t.Error("it has started")
		}
		want("a call that fails", "DEBUG child added", "DEBUG child starting", "DEBUG child exited, goes", "DEBUG child removed")
		done := child.Spec{Name: "done", Restart: child.Temporary, Run: child.Func(func(context.Context) error { return nil })}
		if _, err := sup.Ref().StartChild(t.Context(), done); err != nil {
			t.Error(err)
		}
		want("a child that is done", "DEBUG child added", "DEBUG child started", "INFO child exited, goes", "DEBUG child removed")
		brutal := child.Spec{Name: "brutal", Shutdown: child.BrutalKill, Run: child.Func(idle)}
		if _, err := sup.Ref().StartChild(t.Context(), brutal); err != nil {
			t.Error(err)
		}
		want("a start", "DEBUG child added", "DEBUG child started")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := sup.Stop(ctx); err == nil {
			t.Error("the stop was not blocked")
		}
		want("the stop", "DEBUG child told to stop", "DEBUG child killed", "DEBUG child exited, follows",
			"DEBUG child told to stop", "WARN child killed", "ERROR child does not end")
		close(release)
	})
}
