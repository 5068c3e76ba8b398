package chdb

import (
	"fmt"
	"unsafe"

	"github.com/ebitengine/purego"
)

// handle is a pointer that the engine returned. It is opaque, and never points into Go
// memory.
type handle = unsafe.Pointer

// library is the part of chdb.h (26.7) that we use, one field per function.
// Lengths are passed explicitly throughout: blocks of the Native format hold
// NUL bytes.
type library struct {
	// connect returns chdb_connection*, a pointer to the connection that the
	// other calls take, or NULL.
	connect   func(argc int32, argv unsafe.Pointer) handle
	closeConn func(connPtr handle)

	query func(conn handle, sql *byte, sqlLen uint64, format *byte, formatLen uint64,
		names, nameLens, values, valueLens unsafe.Pointer, params uint64) handle
	streamInsert func(conn handle, sql *byte, sqlLen uint64, format *byte, formatLen uint64,
		names, nameLens, values, valueLens unsafe.Pointer, params uint64) handle
	streamAppend  func(stream handle, data *byte, n uint64) int32
	streamDone    func(stream handle) handle
	streamError   func(stream handle) *byte
	streamDestroy func(stream handle)

	classify func(conn handle, sql *byte, sqlLen uint64, db *byte, dbLen uint64, out unsafe.Pointer) int32

	resultBuffer  func(result handle) *byte
	resultLength  func(result handle) uint64
	resultError   func(result handle) *byte
	resultDestroy func(result handle)
	rowsRead      func(result handle) uint64
	bytesRead     func(result handle) uint64
	rowsWritten   func(result handle) uint64
	bytesWritten  func(result handle) uint64
	elapsed       func(result handle) float64

	setSignalHandlers func(enabled int32)
	version           func() string
}

// loadLibrary opens the shared library and resolves every symbol, so that a
// library of another version fails here and not in the middle of an insert.
func loadLibrary(path string) (*library, error) {
	dl, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("chdb: cannot load the ClickHouse engine %q: %w (fetch it with `clickhoused fetch`, "+
			"or name it with --lib)", path, err)
	}
	lib := &library{}
	for name, target := range lib.symbols() {
		addr, err := purego.Dlsym(dl, name)
		if err != nil {
			return nil, fmt.Errorf("chdb: %q has no function %s; it is not the pinned engine "+
				"(deploy/clickhouse/engine.json): %w", path, name, err)
		}
		purego.RegisterFunc(target, addr)
	}
	return lib, nil
}

// symbols maps the names of the library's functions to the fields that they are bound to.
func (l *library) symbols() map[string]any {
	return map[string]any{
		"chdb_connect":                     &l.connect,
		"chdb_close_conn":                  &l.closeConn,
		"chdb_query_with_params_n":         &l.query,
		"chdb_stream_insert_with_params_n": &l.streamInsert,
		"chdb_stream_append":               &l.streamAppend,
		"chdb_stream_done":                 &l.streamDone,
		"chdb_stream_insert_error":         &l.streamError,
		"chdb_destroy_insert_stream":       &l.streamDestroy,
		"chdb_classify_query_n":            &l.classify,
		"chdb_result_buffer":               &l.resultBuffer,
		"chdb_result_length":               &l.resultLength,
		"chdb_result_error":                &l.resultError,
		"chdb_destroy_query_result":        &l.resultDestroy,
		"chdb_result_rows_read":            &l.rowsRead,
		"chdb_result_bytes_read":           &l.bytesRead,
		"chdb_result_rows_written":         &l.rowsWritten,
		"chdb_result_bytes_written":        &l.bytesWritten,
		"chdb_result_elapsed":              &l.elapsed,
		"chdb_set_signal_handlers_enabled": &l.setSignalHandlers,
		"chdb_version":                     &l.version,
	}
}
