// Package storage keeps snapshots: the cache of what folding the log gave.
//
// A Store is a sorted map of bytes that changes in atomic, durable batches.
// There are two implementations, Pebble and Memory (which forgets what was not
// committed, as a crash would), and one conformance suite (storagetest).
//
// # Keys
//
// One store serves all partitions of a node. Partition numbers are two bytes,
// big-endian, so that a partition is one contiguous range.
//
//	'f'                               format of the store, one byte
//	'p' pp 'm'                        shard meta: positions, clock, hashes
//	'p' pp 'k'                        definitions in force
//	'p' pp 'c' workspace 0x00 id      a customer
//	'p' pp 'd' chunk (8 bytes)        part of the dedupe set
//	'w' name                          positions of dispatch
//
// The values of customers are drawn in campaign/customer/codec.go, those of shards in
// actors/meta.go. Both start with a format byte.
package storage
