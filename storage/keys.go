package storage

import (
	"bytes"
	"encoding/binary"
)

// FormatKey holds the store's format.
func FormatKey() []byte { return []byte{'f'} }

// PartsKey holds what belongs to the store: the log, its streams, node.json.
func PartsKey() []byte { return []byte{'b'} }

// SinkKey holds the position of a sink.
func SinkKey(name string) []byte { return append([]byte{'w'}, name...) }

// MetaKey holds the meta of a shard.
func MetaKey(partition int) []byte { return partitionKey(partition, 'm') }

// DefinitionsKey holds the definitions in force in a shard.
func DefinitionsKey(partition int) []byte { return partitionKey(partition, 'k') }

// CustomerPrefix is the range of a shard's customers.
func CustomerPrefix(partition int) []byte { return partitionKey(partition, 'c') }

// CustomerKey holds a customer.
func CustomerKey(partition int, workspace, id string) []byte {
	k := append(partitionKey(partition, 'c'), workspace...)
	k = append(k, 0)
	return append(k, id...)
}

// ParseCustomerKey takes workspace and id out of a customer's key.
func ParseCustomerKey(key []byte) (workspace, id string, ok bool) {
	if len(key) < 4 || key[0] != 'p' || key[3] != 'c' {
		return "", "", false
	}
	w, i, ok := bytes.Cut(key[4:], []byte{0})
	return string(w), string(i), ok
}

// ToursKey holds a shard's bulk scans and schedules.
func ToursKey(partition int) []byte { return partitionKey(partition, 't') }

// TallyPrefix is the range of a shard's tallies of experiments.
func TallyPrefix(partition int) []byte { return partitionKey(partition, 'x') }

// TallyKey holds the tally of one experiment.
func TallyKey(partition int, workspace, campaign, step string) []byte {
	k := append(partitionKey(partition, 'x'), workspace...)
	k = append(append(k, 0), campaign...)
	return append(append(k, 0), step...)
}

// ErasedPrefix is the range of a shard's erased customers.
func ErasedPrefix(partition int) []byte { return partitionKey(partition, 'z') }

// ErasedKey stands for one erased customer.
func ErasedKey(partition int, hash []byte) []byte {
	return append(partitionKey(partition, 'z'), hash...)
}

// DedupePrefix is the range of a shard's dedupe chunks.
func DedupePrefix(partition int) []byte { return partitionKey(partition, 'd') }

// DedupeKey holds one chunk of a shard's dedupe set.
func DedupeKey(partition int, chunk uint64) []byte {
	return binary.BigEndian.AppendUint64(partitionKey(partition, 'd'), chunk)
}

// PartitionPrefix is the range of everything a shard keeps.
func PartitionPrefix(partition int) []byte {
	return binary.BigEndian.AppendUint16([]byte{'p'}, uint16(partition))
}

func partitionKey(partition int, kind byte) []byte { return append(PartitionPrefix(partition), kind) }
