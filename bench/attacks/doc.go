// Package attacks plays attacks against a real nudged with its default settings: by a web
// page that somebody on the same machine has open, by another user of the machine, by who
// has a write key and nothing else, by who can put values into events, and by accidents of
// an operator that look like one.
//
// Each test fails when the attack succeeds. Each was seen to succeed on a server before the
// rule it attacks: NUDGE_ATTACKS_PROGRAMS names a directory with other programs to attack.
//
//	page_test.go       a web page: cross-site requests, a name that was rebound to loopback
//	warehouse_test.go  ClickHouse's interface: files, network, processes, writes, limits
//	foreign_test.go    another server where ClickHouse should answer
//	keys_test.go       without a key, with a write key, with a short one
//	resources_test.go  connections, bodies, refused items
//	values_test.go     templates, patterns, times and ids that come with events
//	egress_test.go     channels that lead back inside
//	lost_test.go       parts of a data directory that are gone or of another server
//	secrets_test.go    what may be read off the process, its files and its output
//
// The tests run with `make attacks`.
package attacks
