// Package stream is the log: what everything else is computed from. Ingest appends to it,
// the engine folds it, the sinks read it.
//
// A Log holds named streams. A stream is a sequence of messages numbered from 1 without
// gaps; an acknowledged message is on disk. The streams of nudge:
//
//	CTL             control records, in the order of their number
//	EV_<p>          frames of partition p: events, ticks, control copies, results
//	FX_<p>          effect messages of partition p; message n has sequence n
//	SEND_<channel>  deliveries for one channel, one subject a partition
//	WH              position of the warehouse
//
// There are two implementations, JetStream (embedded or by URL) and Memory, and one
// conformance suite for both (streamtest). What the engine relies on: acknowledged
// messages stay, in their order; a conditional append succeeds only behind the sequence
// that it names, so that of two writers one is refused; a full stream refuses instead of
// forgetting.
//
// Files in reading order: stream.go (the interfaces), frame.go (what EV_<p> carries),
// partition.go, publisher.go (how frames are written), clock.go, memory.go, then
// JetStream: jetstream.go, jetstream_reader.go, lease.go, embedded.go with mend.go and
// unmade.go, which look after the files before the server starts.
//
// # The frame, format 1
//
// A frame is what one message of EV_<p> carries: records published together.
//
//	+--------+-------+------------------+---------+-----------------+----------+
//	| format | zero  | t: writer's clock| count   | records         | CRC-32C  |
//	| 1 byte | 1 byte| 8 bytes, ms      | 4 bytes |                 | 4 bytes  |
//	+--------+-------+------------------+---------+-----------------+----------+
//	record: kind (1 byte), length (varint), that many bytes
//
// Fixed-size integers are little-endian. The checksum covers everything before it.
// JetStream has checksums of its own; this one also covers what happens between the
// writer's memory and the log.
package stream
