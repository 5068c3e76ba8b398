package stream

import (
	"fmt"

	"github.com/cespare/xxhash/v2"
)

// PartitionOf is the partition of a customer: XXH64(workspace, 0x00, id) mod n.
// It is fixed for the life of a log (R3).
func PartitionOf(workspace, customer string, n int) int {
	var d xxhash.Digest
	d.Reset()
	_, _ = d.WriteString(workspace) // never fails
	_, _ = d.Write([]byte{0})
	_, _ = d.WriteString(customer)
	return int(d.Sum64() % uint64(n))
}

// ControlStream is the stream of control records.
const ControlStream = "CTL"

// WarehouseStream holds the position of the rows written to the warehouse.
const WarehouseStream = "WH"

// EventStream is the stream of a partition's frames.
func EventStream(partition int) string { return fmt.Sprintf("EV_%d", partition) }

// EffectStream is the stream of a partition's effect messages.
func EffectStream(partition int) string { return fmt.Sprintf("FX_%d", partition) }

// SendStream is the stream of a channel's deliveries.
func SendStream(channel string) string { return "SEND_" + channel }
