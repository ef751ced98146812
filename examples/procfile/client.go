package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// ask sends a request to the program that runs at the place, and returns its
// answer, which the caller closes. An answer that is no success is an error.
func (p *place) ask(ctx context.Context, method, what string, values url.Values) (io.ReadCloser, error) {
	if err := p.resolve(); err != nil {
		return nil, err
	}
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var dialer net.Dialer
			return dialer.DialContext(ctx, "unix", p.socket)
		},
	}}
	request, err := http.NewRequestWithContext(ctx, method, "http://procfile/"+what+"?"+values.Encode(), nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, &exitError{1, fmt.Errorf("%s is not running (procfile start runs it)", p.file)}
	case err != nil:
		return nil, &exitError{1, err}
	case response.StatusCode != http.StatusOK:
		defer func() { _ = response.Body.Close() }()
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<16))
		return nil, &exitError{1, errors.New(strings.TrimSpace(string(text)))}
	}
	return response.Body, nil
}

// call asks for something that has no answer but its success.
func (p *place) call(ctx context.Context, what string, values url.Values) error {
	body, err := p.ask(ctx, http.MethodPost, what, values)
	if err != nil {
		return err
	}
	return body.Close()
}

// controlCommands are those that ask a program that runs.
func controlCommands(at *place) []*cobra.Command {
	named := func(use, short string) *cobra.Command {
		return &cobra.Command{
			Use: use + " NAME...", Short: short, Args: cobra.MinimumNArgs(1),
			RunE: func(cmd *cobra.Command, names []string) error {
				return at.call(cmd.Context(), use, url.Values{"name": names})
			},
		}
	}
	return []*cobra.Command{
		statusCommand(at),
		named("restart", "Stop processes and start them again; NAME is as web, or web.2"),
		named("stop", "Stop processes, until restart or scale start them again"),
		{
			Use: "scale NAME=N...", Short: "Say how many of each there are to be", Args: cobra.MinimumNArgs(1),
			RunE: func(cmd *cobra.Command, scales []string) error {
				return at.call(cmd.Context(), "scale", url.Values{"scale": scales})
			},
		},
		logsCommand(at),
		{
			Use: "quit", Short: "End it all, as ^C does there", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return at.call(cmd.Context(), "quit", nil) },
		},
	}
}

func statusCommand(at *place) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status [NAME]", Short: "Show what runs", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			body, err := at.ask(cmd.Context(), http.MethodGet, "status", url.Values{"name": names})
			if err != nil {
				return err
			}
			defer func() { _ = body.Close() }()
			if asJSON {
				_, err = io.Copy(cmd.OutOrStdout(), body)
				return err
			}
			var reports []report
			if err := json.NewDecoder(body).Decode(&reports); err != nil {
				return &exitError{1, err}
			}
			return table(cmd.OutOrStdout(), reports)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

func table(to io.Writer, reports []report) error {
	tabs := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tabs, "NAME\tSTATE\tPID\tPORT\tSINCE\tRESTARTS\tLAST END")
	for _, r := range reports {
		pid := "-"
		if r.PID != 0 {
			pid = strconv.Itoa(r.PID)
		}
		since := "-"
		if !r.Since.IsZero() {
			since = time.Since(r.Since).Round(time.Second).String()
		}
		fmt.Fprintf(tabs, "%s\t%s\t%s\t%d\t%s\t%d\t%s\n", r.Name, r.State, pid, r.Port, since, r.Restarts, r.Last)
	}
	return tabs.Flush()
}

func logsCommand(at *place) *cobra.Command {
	var follow, stamp bool
	var last int
	var color string
	cmd := &cobra.Command{
		Use: "logs [NAME]", Short: "Show the last lines that were printed", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			colour, err := wantsColour(color, os.Stdout)
			if err != nil {
				return err
			}
			values := url.Values{"name": names, "last": {strconv.Itoa(last)}}
			if follow {
				values.Set("follow", "1")
			}
			body, err := at.ask(cmd.Context(), http.MethodGet, "logs", values)
			if err != nil {
				return err
			}
			defer func() { _ = body.Close() }()
			return show(body, cmd.OutOrStdout(), colour, stamp)
		},
	}
	flags := cmd.Flags()
	flags.BoolVarP(&follow, "follow", "f", false, "go on with those that come")
	flags.IntVarP(&last, "lines", "n", 100, "begin with the last `N` lines")
	flags.BoolVar(&stamp, "time", true, "the time before each line")
	flags.StringVar(&color, "color", "auto", "coloured names: `WHEN` is auto, always or never")
	return cmd
}

// show prints lines as they come, until there are no more.
func show(from io.Reader, to io.Writer, colour, stamp bool) error {
	var failed error
	out := newPrinter(to, colour, stamp, func(err error) { failed = err })
	for decoder := json.NewDecoder(from); failed == nil; {
		var l line
		err := decoder.Decode(&l)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return &exitError{1, err}
		}
		if l.Missed > 0 {
			l.Text = fmt.Sprintf("%d lines are missing here", l.Missed)
		}
		out.print(l)
	}
	return &exitError{1, failed}
}
