package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// startFlags are the flags of start, as they stand on the command line.
type startFlags struct {
	at             *place
	env, scale     []string
	only           []string
	port           int
	restart, color string
	delay, longest time.Duration
	limit          strategies.Intensity
	grace          time.Duration
	stamp          bool
}

func startCommand(at *place) *cobra.Command {
	o := startFlags{at: at}
	cmd := &cobra.Command{
		Use:   "start [NAME...]",
		Short: "Run the processes until ^C; a second ^C kills what is left",
		Long: `Run the processes until ^C; a second ^C kills what is left.

The exit status is 0 if all is well, that of the process because of which
everything had to end, 128 and the number of the signal that ended it all,
and 2 if nothing could be begun.`,
		RunE: func(_ *cobra.Command, names []string) error {
			o.only = append(o.only, names...)
			return o.run()
		},
	}
	o.shared(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.color, "color", "auto", "coloured names: `WHEN` is auto, always or never")
	flags.BoolVar(&o.stamp, "time", true, "the time before each line")
	return cmd
}

// checkCommand is start without a start.
func checkCommand(at *place) *cobra.Command {
	o := startFlags{at: at, color: "never"}
	cmd := &cobra.Command{
		Use: "check", Short: "Say whether everything could be started, and start nothing", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			plan, err := o.plan()
			if err != nil {
				return err
			}
			c, err := newCrew(plan, newJournal(), newPrinter(os.Stdout, false, false, nil))
			if err != nil {
				return err
			}
			for _, name := range c.kinds() {
				fmt.Fprintln(cmd.OutOrStdout(), name)
			}
			return nil
		},
	}
	o.shared(cmd)
	return cmd
}

// shared are the flags that say what is to run.
func (o *startFlags) shared(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVarP(&o.env, "env", "e", nil, "environment `FILE`s, later ones over earlier ones (default .env in the directory, if there is one)")
	flags.StringSliceVarP(&o.scale, "scale", "m", nil, "how many of each: `NAME=N`,..., where all is every other")
	flags.StringSliceVar(&o.only, "only", nil, "run these `NAME`s and no others")
	flags.IntVarP(&o.port, "port", "p", 0, "the first `PORT`; each name gets a hundred of them (default $PORT, else 5000)")
	flags.StringVar(&o.restart, "restart", "on-failure", "`WHICH` processes to start again: no (the first end ends all), on-failure or always")
	flags.DurationVar(&o.delay, "delay", time.Second, "before the first restart of a process that ended within a second; it doubles, and 0 is none")
	flags.DurationVar(&o.longest, "max-delay", time.Minute, "the longest delay")
	flags.TextVar(&o.limit, "limit", strategies.Celery(), "give up after so many restarts in such a time: `N/TIME`, N/TIME each, or unlimited")
	flags.DurationVar(&o.grace, "grace", 5*time.Second, "how long a process may take to end before it is killed")
}

// plan reads the files.
func (o *startFlags) plan() (plan, error) {
	if err := o.at.resolve(); err != nil {
		return plan{}, err
	}
	p := plan{only: o.only, dir: o.at.dir, limit: o.limit, grace: o.grace}
	var err error
	if p.configs, err = load(o.at.file); err != nil {
		return p, err
	}
	if p.env, err = readEnv(o.at.dir, o.env); err != nil {
		return p, err
	}
	if p.base, err = basePort(o.port, p.env); err != nil {
		return p, err
	}
	if p.scale, err = parseScale(o.scale); err != nil {
		return p, err
	}
	if p.policy, err = parsePolicy(o.restart); err != nil {
		return p, err
	}
	if o.delay < 0 || o.longest < 0 || o.grace <= 0 {
		return p, errors.New("--delay, --max-delay and --grace: must not be negative, the grace not zero")
	}
	p.backoff = strategies.Backoff{Min: o.delay, Max: max(o.delay, o.longest)}
	if o.delay == 0 {
		p.backoff = strategies.Backoff{Min: strategies.None}
	}
	return p, nil
}

func (o *startFlags) run() error {
	plan, err := o.plan()
	if err != nil {
		return err
	}
	colour, err := wantsColour(o.color, os.Stdout)
	if err != nil {
		return err
	}
	ends := make(chan error, 8)
	end := func(err error) {
		select {
		case ends <- err:
		default: // there is more than enough reason to end already
		}
	}
	crew, err := newCrew(plan, newJournal(), newPrinter(os.Stdout, colour, o.stamp, func(err error) {
		end(&exitError{1, err})
	}))
	if err != nil {
		return err
	}
	listener, err := listen(o.at.socket)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return crew.run(listener, ends, func() { end(nil) })
}

// run runs the tree until it ends by itself or somebody ends it: with a signal,
// or by what comes from ends. Without a listener nobody can ask it.
func (c *crew) run(listener net.Listener, ends <-chan error, quit func()) error {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, ending()...)
	defer signal.Stop(signals)
	// A pipe without a reader is an error of print; unheard, the signal would
	// end us without a stop.
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	defer signal.Stop(broken)

	c.saying.Go(c.narrate)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() { _ = c.sup.Serve(ctx); ended <- c.sup.Wait() }()
	if listener != nil {
		defer serve(listener, c, quit)()
	}
	why, err := c.wait(signals, ends, stop, ended)
	told := make(chan struct{})
	go func() { defer close(told); c.saying.Wait() }()
	select {
	case <-told:
	case <-time.After(time.Second): // nobody reads what we print
	}
	switch {
	case why != nil:
		why.err = errors.Join(why.err, err)
		return why
	case err != nil:
		return &exitError{supervisor.ExitStatus(err), err}
	}
	return nil
}

// wait waits for the end. The first reason to end is an orderly stop, and why
// we end; the second is a stop without any grace.
func (c *crew) wait(signals <-chan os.Signal, ends <-chan error, stop func(), ended <-chan error) (why *exitError, err error) {
	for reasons := 0; ; {
		var cause error
		select {
		case err := <-ended:
			return why, err
		case cause = <-ends:
		case sig := <-signals:
			cause = c.signalled(sig, reasons)
		}
		if reasons++; reasons == 1 {
			errors.As(cause, &why)
			stop()
			continue
		}
		now, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		_ = c.sup.Stop(now)
		cancel()
	}
}

// signalled says what a signal does, and is what it makes of our exit status:
// what a shell would say.
func (c *crew) signalled(sig os.Signal, before int) error {
	text := "all are told to end; once more kills them"
	if before > 0 {
		text = "what is left is killed"
	}
	// Whoever should read it may have stopped to, which is no reason not to end.
	c.saying.Go(func() { c.writer(system).say("%s: %s", sig, text) })
	number, _ := sig.(syscall.Signal)
	return &exitError{status: 128 + int(number)}
}

// ending are the signals that end us: not a SIGHUP that we were started to
// ignore, as nohup does.
func ending() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}
