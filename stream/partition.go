package stream

import (
	"fmt"

	"github.com/cespare/xxhash/v2"
)

// PartitionOf returns the partition, 0 to n-1, of a customer: XXH64(workspace, 0x00, id)
// mod n. It is fixed for the life of a log, and so is n: another one would look for
// customers in the wrong place.
func PartitionOf(workspace, customer string, n int) int {
	var d xxhash.Digest
	d.Reset()
	_, _ = d.WriteString(workspace) // never fails
	_, _ = d.Write([]byte{0})
	_, _ = d.WriteString(customer)
	return int(d.Sum64() % uint64(n))
}

// ControlStream is the name of the stream of control records.
const ControlStream = "CTL"

// WarehouseStream is the name of the stream that holds the position of the warehouse.
const WarehouseStream = "WH"

// EventStream returns the name of the stream of a partition's frames.
func EventStream(partition int) string { return fmt.Sprintf("EV_%d", partition) }

// EffectStream returns the name of the stream of a partition's effect messages.
func EffectStream(partition int) string { return fmt.Sprintf("FX_%d", partition) }

// SendStream returns the name of the stream of a channel's deliveries.
func SendStream(channel string) string { return "SEND_" + channel }
