// Package storage keeps snapshots: the state that the shards computed from the log, so
// that a start need not read the log from its beginning. The engine writes it, the sinks
// keep small positions in it, and tools read it.
//
// A Store is a sorted map of bytes that changes in atomic, durable batches. There are two
// implementations, Pebble and Memory (which forgets what was not committed, as a crash
// would), and one conformance suite (storagetest). Nothing in it is the only copy of
// anything but the positions: without a store the shards compute everything again from
// the log, as far as that reaches back.
//
// Two small files beside the store outlive a crash of the process, so that a record or
// message that ends the process is found: crash_marker.go and rendering.go.
//
// Files in reading order: store.go, keys.go, memory.go, pebble.go, customers.go.
//
// # Keys
//
// One store serves all partitions of a server. Partition numbers are two bytes,
// big-endian, so that a partition is one contiguous range.
//
//	'f'                               format of the store, one byte
//	'b'                               what belongs to the store: log, streams, node.json
//	'p' pp 'm'                        shard meta: positions, clock, hashes
//	'p' pp 'k'                        definitions in force
//	'p' pp 'c' workspace 0x00 id      a customer
//	'p' pp 'd' chunk (8 bytes)        part of the dedupe set
//	'p' pp 't'                        bulk scans and schedules
//	'p' pp 'x' workspace 0x00 ...     counts of an experiment
//	'p' pp 'z' hash (32 bytes)        an erased customer
//	'w' name                          position of a sink
//
// The values of customers are drawn in campaign/customer/codec.go, the meta of shards in
// actors/shard/meta.go. Both start with a format byte.
package storage
