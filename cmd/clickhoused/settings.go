package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nudge-engine/nudge/internal/chdb"
)

// readerLimits are what one statement of a reader may use. A reader may set less, never more.
type readerLimits struct {
	// time is how long it may run.
	time time.Duration
}

// all returns the limits as settings of the engine: bytes, rows and seconds. They are for
// dashboards and exploration next to a server that needs the machine too: 2 GiB of memory, 512
// MiB of result, 4 GiB of temporary files.
func (l readerLimits) all() []chdb.Setting {
	return []chdb.Setting{
		{Name: "max_execution_time", Value: strconv.FormatFloat(l.time.Seconds(), 'f', -1, 64)},
		{Name: "max_memory_usage", Value: "2147483648"},
		// The result is held in memory twice.
		{Name: "max_result_bytes", Value: "536870912"},
		{Name: "max_result_rows", Value: "50000000"},
		{Name: "max_rows_to_read", Value: "20000000000"},
		{Name: "max_temporary_data_on_disk_size_for_query", Value: "4294967296"},
		{Name: "max_ast_elements", Value: "20000"},
		{Name: "max_query_size", Value: "1048576"},
	}
}

// bounded are the settings that a reader may only lower, and must not switch off: 0 means no
// limit to the engine.
//
//nudge:constant read only
var bounded = []string{
	"max_execution_time", "max_memory_usage", "max_result_bytes", "max_result_rows", "max_rows_to_read",
	"max_temporary_data_on_disk_size_for_query", "max_ast_elements", "max_query_size",
}

// harmless are the settings that a reader may set to anything: they change how a result is
// computed or written, reach nothing and lift no limit. A name that ends in * is a prefix.
// Drivers send some of them with each statement and fail if they are refused.
//
//nudge:constant read only
var harmless = []string{
	"output_format_json_*", "output_format_csv_*", "output_format_tsv_*", "output_format_pretty_*",
	"output_format_native_*", "output_format_arrow_*", "output_format_parquet_*", "output_format_decimal_*",
	"output_format_float_*", "output_format_write_statistics", "output_format_enable_streaming",
	"format_csv_delimiter", "format_csv_null_representation", "format_tsv_null_representation",
	"bool_true_representation",
	"bool_false_representation", "date_time_output_format", "date_time_input_format", "interval_output_format",
	"join_use_nulls", "group_by_use_nulls", "union_default_mode", "extremes", "final", "limit", "offset",
	"aggregate_functions_null_for_empty", "transform_null_in", "cast_keep_nullable", "decimal_check_overflow",
	"prefer_column_name_to_alias", "use_client_time_zone", "session_timezone", "short_circuit_function_evaluation",
	"timeout_overflow_mode", "read_overflow_mode", "result_overflow_mode", "distributed_product_mode",
	"log_comment", "log_queries", "send_progress_in_http_headers", "http_headers_progress_interval_ms",
	"http_write_exception_in_output_format", "http_response_buffer_size", "http_wait_end_of_query",
	"cancel_http_readonly_queries_on_client_close", "enable_http_compression", "http_zlib_compression_level",
	"network_compression_method", "network_zstd_compression_level", "connect_timeout", "receive_timeout",
	"send_timeout",
	"http_receive_timeout", "http_send_timeout", "http_connection_timeout", "low_cardinality_allow_in_native_format",
	"async_insert", "wait_for_async_insert", "insert_deduplicate", // of drivers, for all their statements
	"optimize_*", "enable_optimize_*", "use_query_condition_cache", "compile_expressions",
	"allow_experimental_json_type", "allow_experimental_dynamic_type", "allow_experimental_variant_type",
	"enable_json_type", "enable_dynamic_type", "enable_variant_type", "joined_subquery_requires_alias",
}

// counts are the settings that a reader may set from 1 to the number here, which is what a
// machine can bear.
//
//nudge:constant read only
var counts = map[string]float64{
	"max_threads": 64, "max_block_size": 1 << 20, "preferred_block_size_bytes": 64 << 20, "priority": 100,
}

// allow returns the settings that a reader gets of those that they ask for, or an error for the
// first one that they must not set. A readonly that is not 0 is left out: it is set anyway.
func (l readerLimits) allow(asked []chdb.Setting) ([]chdb.Setting, error) {
	var got []chdb.Setting
	for _, s := range asked {
		switch {
		case s.Name == "readonly" && (s.Value == "1" || s.Value == "2"):
			continue
		// Limits may be lowered, and counts chosen within bounds; everything else must be
		// harmless.
		case slices.Contains(bounded, s.Name):
			within, err := l.within(s)
			if err != nil {
				return nil, err
			}
			s = within
		case counts[s.Name] > 0:
			if n, err := strconv.ParseFloat(s.Value, 64); err != nil || !(n >= 1 && n <= counts[s.Name]) {
				return nil, violated(s, fmt.Sprintf("from 1 to %g", counts[s.Name]))
			}
		case !slices.ContainsFunc(harmless, func(name string) bool { return covers(name, s.Name) }):
			return nil, refuse(164, "READONLY", fmt.Sprintf("Cannot modify '%s' setting in readonly mode: the user "+
				"reader may set limits lower, and how results are written", headerSafe(s.Name)))
		}
		got = append(got, s)
	}
	return got, nil
}

// within checks the value of a bounded setting against the reader's limit, and returns the
// setting as the engine gets it. A value that is 0, above the limit or not a plain number is
// refused. Only a max_execution_time above the limit is accepted, and becomes the limit:
// clients derive it from their own deadline and send it with every statement.
func (l readerLimits) within(s chdb.Setting) (chdb.Setting, error) {
	for _, limit := range l.all() {
		if limit.Name != s.Name {
			continue
		}
		highest, err := strconv.ParseFloat(limit.Value, 64)
		if err != nil {
			return s, err
		}
		// Written as a plain number only: the engine knows suffixes and other notations.
		n, err := strconv.ParseFloat(s.Value, 64)
		switch plain := err == nil && n > 0 && strings.Trim(s.Value, "0123456789.") == ""; {
		case plain && n <= highest:
			return s, nil
		case plain && s.Name == "max_execution_time":
			return limit, nil
		}
		return s, violated(s, "above 0 and at most "+limit.Value)
	}
	return s, nil
}

// violated returns the refusal of a value, with what it must be.
func violated(s chdb.Setting, want string) error {
	return refuse(452, "SETTING_CONSTRAINT_VIOLATION", fmt.Sprintf("Setting %s: %q is not allowed for the user "+
		"reader; it must be %s", headerSafe(s.Name), headerSafe(s.Value), want))
}

// covers reports whether a name is the pattern, or begins with it if that ends in *.
func covers(pattern, name string) bool {
	if beginning, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(name, beginning)
	}
	return pattern == name
}
