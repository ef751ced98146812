package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// slack is what the stop of the whole takes at most beyond the longest grace.
const slack = 5 * time.Second

// A plan is what there is to run, and how.
type plan struct {
	configs []process.Config
	only    []string
	scale   scale
	dir     string
	env     map[string]string
	base    int
	policy  policy
	backoff strategies.Backoff
	limit   strategies.Intensity
	grace   time.Duration
}

// A crew is a plan as a tree: one supervisor whose children are called web.1,
// web.2, worker.1 and so on, and stop all at once.
type crew struct {
	plan
	journal *journal
	printer *printer
	sup     *supervisor.Supervisor
	scaling sync.Mutex
	saying  sync.WaitGroup // what tells of the run at the terminal
}

func newCrew(p plan, j *journal, out *printer) (*crew, error) {
	c := &crew{plan: p, journal: j, printer: out}
	if err := c.check(); err != nil {
		return nil, err
	}
	spec := supervisor.Spec{
		Name: "procfile", StopTogether: true, Shutdown: c.longest() + slack,
		Backoff: p.backoff, Intensity: p.limit, AutoShutdown: p.policy.end,
	}
	for kind, config := range p.configs {
		for index := 1; index <= c.wanted(config); index++ {
			made, err := c.spec(kind, index)
			if err != nil {
				return nil, err
			}
			out.know(made.Name)
			spec.Children = append(spec.Children, made)
		}
	}
	sup, err := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}.New(spec)
	c.sup = sup
	return c, err
}

// check finds names that nobody knows, and more processes than there are ports.
func (c *crew) check() error {
	for _, name := range c.only {
		if !slices.Contains(c.kinds(), name) {
			return unknown(name, c.kinds())
		}
	}
	for _, config := range c.configs {
		if config.NumProcesses > most {
			return fmt.Errorf("%s: numprocesses must be at most %d", config.Name, most)
		}
	}
	return c.scale.check(c.kinds())
}

func (c *crew) kinds() []string {
	names := make([]string, len(c.configs))
	for i, config := range c.configs {
		names[i] = config.Name
	}
	return names
}

// wanted is how many processes of config there are at first.
func (c *crew) wanted(config process.Config) int {
	if len(c.only) > 0 && !slices.Contains(c.only, config.Name) {
		return 0
	}
	return c.scale.of(config.Name, config.NumProcesses)
}

func (c *crew) longest() time.Duration {
	longest := c.grace
	for _, config := range c.configs {
		longest = max(longest, time.Duration(config.GracefulTimeout*float64(time.Second)))
	}
	return longest
}

// spec is one process of the kind at a place in the file.
func (c *crew) spec(kind, index int) (child.Spec, error) {
	config := c.configs[kind]
	name := config.Name + "." + strconv.Itoa(index)
	port, err := checkPort(portOf(c.base, kind, index), "the port of "+name)
	if err != nil {
		return child.Spec{}, err
	}
	config.Env, config.Name, config.NumProcesses = environment(c.env, config, port, name), name, 0
	if !filepath.IsAbs(config.Cwd) {
		config.Cwd = filepath.Join(c.dir, config.Cwd)
	}
	command, err := config.Command()
	if err != nil {
		return child.Spec{}, fmt.Errorf("%s: %w", name, err)
	}
	out := c.writer(name)
	command.Stdout.Writer, command.Stderr.Writer = out, out
	// A shell that is told to end does so at once; what it runs gets the time.
	command.Leftovers = process.StopThem
	made := config.ChildSpec()
	made.Run = command
	made.Restart, made.Significant = c.policy.restart, c.policy.significant
	if made.Shutdown == 0 {
		made.Shutdown = c.grace
	}
	return made, nil
}

func (c *crew) writer(name string) *writer { return &writer{name, c.journal, c.printer} }

// matching are the children that a name means: one process, or all of a kind.
func (c *crew) matching(name string) ([]supervisor.Status, error) {
	all, err := c.sup.Ref().Children()
	if err != nil {
		return nil, err
	}
	var found []supervisor.Status
	for _, status := range all {
		kind, _ := split(status.Name)
		if name == "" || name == status.Name || name == kind {
			found = append(found, status)
		}
	}
	if len(found) == 0 && name != "" && !slices.Contains(c.kinds(), name) {
		return nil, &unknownError{unknown(name, c.kinds())}
	}
	return found, nil
}

// An unknownError is one about a name that does not exist.
type unknownError struct{ error }

func (e *unknownError) Unwrap() error { return e.error }

// split takes web.2 apart.
func split(name string) (kind string, index int) {
	kind, number, _ := strings.Cut(name, ".")
	index, _ = strconv.Atoi(number)
	return kind, index
}

// each does something for all that a name means, at the same time.
func (c *crew) each(name string, do func(child string) error) error {
	found, err := c.matching(name)
	if err != nil {
		return err
	}
	errs := make([]error, len(found))
	var wait sync.WaitGroup
	for i, status := range found {
		wait.Go(func() { errs[i] = do(status.Name) })
	}
	wait.Wait()
	return errors.Join(errs...)
}

// restart stops and starts what a name means; what is down is started.
func (c *crew) restart(ctx context.Context, name string) error {
	return c.each(name, func(child string) error { return c.sup.Ref().Child(child).Bounce(ctx) })
}

// stop stops what a name means, until restart or scale start it again.
func (c *crew) stop(ctx context.Context, name string) error {
	return c.each(name, func(child string) error { return c.sup.Ref().TerminateChild(ctx, child) })
}

// rescale brings each kind that s names to web.1 to web.N: what is missing is
// started, what is beyond is stopped and forgotten, all else left alone.
func (c *crew) rescale(ctx context.Context, s scale) error {
	c.scaling.Lock()
	defer c.scaling.Unlock()
	if err := s.check(c.kinds()); err != nil {
		return &unknownError{err}
	}
	var errs []error
	for kind, config := range c.configs {
		if s.names(config.Name) {
			errs = append(errs, c.bring(ctx, kind, s.of(config.Name, 0)))
		}
	}
	return errors.Join(errs...)
}

func (c *crew) bring(ctx context.Context, kind, n int) error {
	name := c.configs[kind].Name
	found, err := c.matching(name)
	if err != nil {
		return err
	}
	have := map[int]bool{}
	var errs []error
	for _, status := range slices.Backward(found) {
		_, index := split(status.Name)
		have[index] = true
		if index > n {
			errs = append(errs, c.remove(ctx, status.Name))
		}
	}
	for index := 1; index <= n; index++ {
		if have[index] {
			continue
		}
		made, err := c.spec(kind, index)
		if err == nil {
			c.printer.know(made.Name)
			_, err = c.sup.Ref().StartChild(ctx, made)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// remove stops a child and takes its place away, which one that is never
// restarted has lost by then.
func (c *crew) remove(ctx context.Context, name string) error {
	if err := c.sup.Ref().TerminateChild(ctx, name); err != nil {
		return err
	}
	err := c.sup.Ref().DeleteChild(ctx, name)
	if errors.Is(err, supervisor.ErrNotFound) {
		return nil
	}
	return err
}
