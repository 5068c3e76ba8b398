package chdb

import (
	"context"
	"errors"
	"runtime"
	"unsafe"
)

// Conn is one session of the engine. It is not safe for concurrent use.
type Conn struct {
	engine *Engine
	ptr    handle // chdb_connection*; nil after Close
	// tag is the session's log_comment, by which cancel finds its statement.
	tag string
}

// conn returns the handle that statements take, which is what ptr points at.
func (c *Conn) conn() handle { return *(*handle)(c.ptr) }

// Query runs one statement and returns its whole result in format, unless the
// statement names another in a FORMAT clause. A cancelled ctx kills it.
func (c *Conn) Query(ctx context.Context, sql, format string, params ...Param) (Result, error) {
	if err := c.ready(ctx); err != nil {
		return Result{}, err
	}
	defer c.engine.killOnCancel(ctx, c.tag)()
	v := vectorsOf(params)
	r := c.engine.lib.query(c.conn(), bytesOf(sql), uint64(len(sql)), bytesOf(format), uint64(len(format)),
		first(v.names), first(v.nameLens), first(v.values), first(v.valueLens), uint64(len(params)))
	runtime.KeepAlive(v)
	return c.engine.lib.take(r)
}

// Insert runs an INSERT without a FORMAT clause, e.g. "INSERT INTO t (a, b)", with data in
// format. It is all or nothing for a table that takes the data as one block (at most
// 1,048,449 rows by default); the engine writes larger data block by block. A cancelled ctx
// kills it.
func (c *Conn) Insert(ctx context.Context, sql, format string, data []byte, params ...Param) (Result, error) {
	if err := c.ready(ctx); err != nil {
		return Result{}, err
	}
	defer c.engine.killOnCancel(ctx, c.tag)()
	lib := c.engine.lib
	v := vectorsOf(params)
	stream := lib.streamInsert(c.conn(), bytesOf(sql), uint64(len(sql)), bytesOf(format), uint64(len(format)),
		first(v.names), first(v.nameLens), first(v.values), first(v.valueLens), uint64(len(params)))
	runtime.KeepAlive(v)
	// Destroying an unfinished stream cancels it.
	defer lib.streamDestroy(stream)
	if text := goString(lib.streamError(stream)); text != "" {
		return Result{}, newException(text)
	}
	if len(data) > 0 && lib.streamAppend(stream, unsafe.SliceData(data), uint64(len(data))) != 0 {
		return Result{}, newException(goString(lib.streamError(stream)))
	}
	return lib.take(lib.streamDone(stream))
}

// Statements returns how many statements sql has. The engine's own parser decides, and
// nothing is run. 0 means that sql does not parse.
func (c *Conn) Statements(sql string) (int, error) {
	if err := c.ready(context.Background()); err != nil {
		return 0, err
	}
	// chdb_query_analysis_v1: struct_size, statement_count, flags, query_class.
	out := [4]uint32{0: uint32(unsafe.Sizeof([4]uint32{}))}
	if c.engine.lib.classify(c.conn(), bytesOf(sql), uint64(len(sql)), nil, 0, unsafe.Pointer(&out)) != 0 {
		return 0, errors.New("chdb: the engine refused to classify a statement: its chdb_query_analysis struct has " +
			"changed, so this binding does not fit the library")
	}
	return int(out[1]), nil
}

// assume limits the session to one role; an empty role leaves it all of its user's. The
// name needs no quoting: it comes from this program and not from a client.
func (c *Conn) assume(ctx context.Context, role string) error {
	if role == "" {
		return nil
	}
	_, err := c.Query(ctx, "SET ROLE "+role, "Null")
	return err
}

// ready returns an error where the session is closed or ctx has ended.
func (c *Conn) ready(ctx context.Context) error {
	if c.ptr == nil {
		return ErrClosed
	}
	return ctx.Err()
}

// Close ends the session. A second call does nothing.
func (c *Conn) Close() {
	if c.ptr != nil {
		c.engine.lib.closeConn(c.ptr)
		c.ptr = nil
		c.engine.open.Add(-1)
	}
}
