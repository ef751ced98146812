package metrics

import "github.com/prometheus/client_golang/prometheus"

// descs are the descriptions of all metrics.
type descs struct {
	up, ready, state, starts, failures, restarts, exits, backoff, next, started, lastExit, kills, stuck, ping, outBytes, outLines, outDropped *prometheus.Desc
	cpu, memory, fds, threads                                                                                                                 *prometheus.Desc
	window, windowLimit, gaveUp, children, startDuration, stopDuration                                                                        *prometheus.Desc
	eventsDropped                                                                                                                             *prometheus.Desc

	all []*prometheus.Desc
}

// newDescs are the descriptions for the tree of that name.
func newDescs(tree string) *descs {
	d := new(descs)
	describe := func(to **prometheus.Desc, name, help string, labels ...string) {
		*to = prometheus.NewDesc("coppice_"+name, help, labels, prometheus.Labels{"tree": tree})
		d.all = append(d.all, *to)
	}
	describe(&d.up, "child_up", "Children with a run that was not told to stop: 1 or 0, more under a path of several.", "path")
	describe(&d.ready, "child_ready", "Children whose start is complete.", "path")
	describe(&d.state, "child_state", "Children in that state; states without any are left out.", "path", "state")
	describe(&d.starts, "child_starts_total", "Runs that were begun.", "path")
	describe(&d.failures, "child_start_failures_total", "Starts that failed: for now (temporary) or for good (permanent).", "path", "kind")
	describe(&d.restarts, "child_restarts_total", "Runs that the supervisor began by itself, by what the run before had ended of.", "path", "cause")
	describe(&d.exits, "child_exits_total", "Runs that have ended, by cause.", "path", "cause")
	describe(&d.backoff, "child_backoff_seconds", "The delay before the next attempt; 0 if none is awaited.", "path")
	describe(&d.next, "child_next_attempt_timestamp_seconds", "When the next attempt will be made, if one is awaited.", "path")
	describe(&d.started, "child_started_timestamp_seconds", "When the start of the run was complete, if one lives; the oldest under a path of several.", "path")
	describe(&d.lastExit, "child_last_exit_timestamp_seconds", "When the last run ended that failed or ended by itself.", "path")
	describe(&d.kills, "child_kills_total", "Runs that outlived their grace: processes were killed by KILL, goroutines by nothing (none).", "path", "signal")
	describe(&d.stuck, "child_stuck", "Children with a run that was killed and does not end.", "path")
	describe(&d.ping, "child_ping_duration_seconds", "How long the last answer to a ping took, if there was one; the longest under a path of several.", "path")
	describe(&d.outBytes, "child_output_bytes_total", "Bytes that the process has printed, as far as its runs were sampled.", "path", "stream")
	describe(&d.outLines, "child_output_lines_total", "Lines that the process has printed, as far as its runs were sampled.", "path")
	describe(&d.outDropped, "child_output_dropped_bytes_total", "Bytes of those that were not delivered.", "path")
	describe(&d.cpu, "process_cpu_seconds_total", "Processor time of the process and its descendants, as far as its runs were sampled.", "path")
	describe(&d.memory, "process_resident_memory_bytes", "Resident memory of the process and its descendants.", "path")
	describe(&d.fds, "process_open_fds", "Open descriptors of the process and its descendants.", "path")
	describe(&d.threads, "process_threads", "Threads of the process and its descendants.", "path")
	describe(&d.window, "supervisor_window_restarts", "Restarts that the window holds; of the child with the most, if each has its own.", "path")
	describe(&d.windowLimit, "supervisor_window_limit", "Restarts that the window allows.", "path")
	describe(&d.gaveUp, "supervisor_gave_up_total", "How often the supervisor gave up.", "path")
	describe(&d.children, "supervisor_children", "Children of the supervisor in that state; states without any are left out.", "path", "state")
	describe(&d.startDuration, "supervisor_start_duration_seconds", "How long the last start of all children took; 0 if none was complete.", "path")
	describe(&d.stopDuration, "supervisor_stop_duration_seconds", "How long the last stop took; 0 if there was none.", "path")
	describe(&d.eventsDropped, "events_dropped_total", "Events that their readers did not read in time, each reader's for itself.")
	return d
}
