// Package chdb binds libchdb.so, the ClickHouse engine as a library, without
// cgo: the library is opened with dlopen through purego.
//
//	Open ──> Engine ──Connect──> Conn ──Query / Insert──> Result
//	            └────NewPool───> Pool ──Read / Write────> *Conn, lent for one statement
//
// Contracts:
//
//	H1 One Engine per process: the library keeps its data directory in a
//	   global and refuses a second one.
//	H2 A Conn is a session and serves one statement at a time. Pool lends one
//	   to one caller at a time; settings are given at Connect and die with it.
//	H3 Nothing the engine allocated leaves this package: results are copied
//	   out and freed before a call returns.
//	H4 The engine may not take the process's signal handlers (signals.go).
//	H5 A call into the engine cannot be interrupted from outside; a query ends
//	   by its own limit (max_execution_time) or by KILL QUERY, which is what a
//	   cancelled context sends (cancel.go).
//
// A crash of the engine is a crash of the process. That is why it lives in
// cmd/clickhoused and not in the stream processor.
package chdb
