// Package enginefetch brings the pinned ClickHouse engine, a shared library, to this
// machine once. It is used by clickhoused and by the tests that need a real ClickHouse. The
// engine comes from the npm registry through the user's own npm client.
//
//	npm pack ──> tarball ──sha512 = pin?──> unpack to a temporary name ──> fsync, rename
//	(the user's registry                          │
//	 settings hold)                               └── anything else: an error, nothing kept
//
// Contracts:
//
//	F1 A file under the final name is whole and came from a tarball with the
//	   pinned hash: it appears by rename, after the hash was checked and the
//	   data synced.
//	F2 When the library is there, Path opens no connection and prints nothing.
//	F3 One fetch at a time per cache (file lock); the second one finds the
//	   library of the first.
//
// Begin with Fetcher.Path in fetcher.go; each other file has one of its steps.
package enginefetch
