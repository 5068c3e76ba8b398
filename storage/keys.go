package storage

import (
	"bytes"
	"encoding/binary"
)

// FormatKey returns the key of the store's format.
func FormatKey() []byte { return []byte{'f'} }

// PartsKey returns the key of a note of what belongs to the store (the log, its streams,
// node.json), by which a store beside the wrong log is recognised.
func PartsKey() []byte { return []byte{'b'} }

// SinkKey returns the key of the position of a sink.
func SinkKey(name string) []byte { return append([]byte{'w'}, name...) }

// MetaKey returns the key of a shard's meta. It exists if and only if the shard has a
// snapshot.
func MetaKey(partition int) []byte { return partitionKey(partition, 'm') }

// DefinitionsKey returns the key of the definitions in force in a shard.
func DefinitionsKey(partition int) []byte { return partitionKey(partition, 'k') }

// CustomerPrefix returns the prefix of the keys of a shard's customers.
func CustomerPrefix(partition int) []byte { return partitionKey(partition, 'c') }

// CustomerKey returns the key of a customer. With the id "" it is the prefix of a
// workspace's customers.
func CustomerKey(partition int, workspace, id string) []byte {
	k := append(partitionKey(partition, 'c'), workspace...)
	k = append(k, 0)
	return append(k, id...)
}

// ParseCustomerKey returns the workspace and id in a customer's key; ok is false for any
// other key.
func ParseCustomerKey(key []byte) (workspace, id string, ok bool) {
	if len(key) < 4 || key[0] != 'p' || key[3] != 'c' {
		return "", "", false
	}
	w, i, ok := bytes.Cut(key[4:], []byte{0})
	return string(w), string(i), ok
}

// ToursKey returns the key of a shard's bulk scans and schedules.
func ToursKey(partition int) []byte { return partitionKey(partition, 't') }

// TallyPrefix returns the prefix of the keys of a shard's counts of experiments.
func TallyPrefix(partition int) []byte { return partitionKey(partition, 'x') }

// TallyKey returns the key of the counts of one experiment.
func TallyKey(partition int, workspace, campaign, step string) []byte {
	k := append(partitionKey(partition, 'x'), workspace...)
	k = append(append(k, 0), campaign...)
	return append(append(k, 0), step...)
}

// ErasedPrefix returns the prefix of the keys of a shard's erased customers.
func ErasedPrefix(partition int) []byte { return partitionKey(partition, 'z') }

// ErasedKey returns the key that stands for one erased customer; hash is an erase.Hash.
func ErasedKey(partition int, hash []byte) []byte {
	return append(partitionKey(partition, 'z'), hash...)
}

// DedupePrefix returns the prefix of the keys of a shard's dedupe chunks.
func DedupePrefix(partition int) []byte { return partitionKey(partition, 'd') }

// DedupeKey returns the key of one chunk of a shard's dedupe set. Chunk numbers sort as
// their keys do.
func DedupeKey(partition int, chunk uint64) []byte {
	return binary.BigEndian.AppendUint64(partitionKey(partition, 'd'), chunk)
}

// PartitionPrefix returns the prefix of all keys of a shard.
func PartitionPrefix(partition int) []byte {
	return binary.BigEndian.AppendUint16([]byte{'p'}, uint16(partition))
}

// partitionKey returns the prefix of one kind of a shard's keys.
func partitionKey(partition int, kind byte) []byte { return append(PartitionPrefix(partition), kind) }
