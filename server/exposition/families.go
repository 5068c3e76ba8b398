package exposition

import "slices"

// Family describes the metrics of one name, which differ in their labels. Type and Help are
// written for Prometheus as they stand.
type Family struct {
	Name string
	// Type is counter, gauge or histogram.
	Type string
	// Help is one sentence.
	Help string
}

// Families returns everything that is exposed, in the order in which it is written. A test
// compares docs/operating.md with it. The caller may keep and change what is returned.
func Families() []Family { return slices.Clone(families) }

// families is what Families returns. The metrics of the engine come first, then those of Go
// and of the process, each sorted by name.
//
//nudge:constant read only
var families = []Family{
	{"nudge_accept_errors_total", "counter", "Connections that could not be accepted, by address."},
	{"nudge_applied_sequence", "gauge", "Last frame of a partition whose effects are in the log."},
	{"nudge_clock_behind_seconds", "gauge", "How far the clock is behind the log; timers wait for it."},
	{"nudge_connections", "gauge", "Open connections, by address."},
	{"nudge_connections_closed_total", "counter", "Connections that were closed to make room, by address."},
	{"nudge_customer_bytes", "gauge", "Estimated size of the customers of a partition in memory."},
	{"nudge_customers_in_memory", "gauge", "Customers of a partition in memory."},
	{"nudge_dedupe_ids", "gauge", "Ids of events by which a partition knows repeated ones."},
	{"nudge_dedupe_window_seconds", "gauge", "How far back a partition knows repeated events."},
	{"nudge_deliveries_total", "counter", "Attempts to send, by campaign, channel and result."},
	{"nudge_effects_unacknowledged", "gauge", "Effect messages of a partition that the log has not confirmed yet."},
	{"nudge_erased_events_total", "counter", "Events of erased customers that were dropped."},
	{"nudge_experiments_blocked", "gauge", "Experiments whose shares are not what chance gives."},
	{"nudge_ingest_events_total", "counter", "Events by what became of them."},
	{"nudge_ingest_rejects_not_kept_total", "counter", "Refused events that were not kept either."},
	{"nudge_ingest_request_seconds", "histogram", "Time to answer a request for events."},
	{"nudge_ingest_requests_total", "counter", "Requests for events by status."},
	{"nudge_partition_halted", "gauge", "1 when a partition has stopped and must be looked at."},
	{"nudge_timer_lag_seconds", "gauge", "How late the next timer of a partition is."},
	{"nudge_timers_pending", "gauge", "Timers of a partition that are not due yet."},
	{"nudge_warehouse_failures_total", "counter", "Attempts to write rows to ClickHouse that failed."},
	{"nudge_warehouse_gap_frames_total", "counter", "Frames and effect messages whose rows were given up."},
	{"nudge_warehouse_lag_frames", "gauge", "Frames of a partition whose rows are not in ClickHouse yet."},
	{"nudge_warehouse_rows_total", "counter", "Rows that were written to ClickHouse."},
	{"go_gc_cpu_seconds_total", "counter", "Processor time of collecting garbage."},
	{"go_goroutines", "gauge", "Goroutines."},
	{"go_gomaxprocs", "gauge", "Goroutines that may run at a time."},
	{"go_memlimit_bytes", "gauge", "Limit of memory that Go respects."},
	{"go_memstats_heap_inuse_bytes", "gauge", "Memory of the heap in use."},
	{"go_memstats_next_gc_bytes", "gauge", "Size of the heap at which garbage is collected next."},
	{"go_memstats_sys_bytes", "gauge", "Memory that Go has from the system."},
	{"process_cpu_seconds_total", "counter", "Processor time of the process."},
	{"process_max_fds", "gauge", "Limit of open files."},
	{"process_open_fds", "gauge", "Open files."},
	{"process_resident_memory_bytes", "gauge", "Memory of the process in RAM."},
	{"process_start_time_seconds", "gauge", "When the process started, as Unix time."},
	{"process_virtual_memory_bytes", "gauge", "Address space of the process."},
}
