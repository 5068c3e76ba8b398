// Package stream is the log: the only source of truth.
//
// A Log holds named streams. A stream is a sequence of messages numbered from 1
// without gaps; an acknowledged message is on disk. The streams of nudge:
//
//	CTL             control records, in the order of their number
//	EV_<p>          frames of partition p: events, ticks, control copies, results
//	FX_<p>          effect messages of partition p; message n has sequence n
//	SEND_<channel>  deliveries for one channel, one subject a partition
//	WH              position of the warehouse
//
// There are two implementations, JetStream (embedded or by URL) and Memory, and
// one conformance suite for both (streamtest).
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
// Fixed-size integers are little-endian. The checksum covers everything before
// it. JetStream has checksums of its own; this one also covers what happens
// between the writer's memory and the log.
package stream
