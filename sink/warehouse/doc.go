// Package warehouse writes what happened and what was decided to ClickHouse. The server
// runs one Writer; the API asks for a campaign's Status.
//
// It reads frames and effect messages from the log at its own pace and never slows
// ingest. Rows go in blocks. The range of a block (which messages of which partitions) is
// stored in the stream WH before the first attempt: the block is sealed. The rows are a
// function of that range, and every attempt carries the same deduplication token. After a
// start the sealed block is looked for in the table before it is sent again, because the
// engine does not sync its record of tokens. So a row is there once, even after a power
// loss.
//
// What leaves the log before it is written is a gap: recorded, counted, and passed over,
// so that a warehouse that is down for long cannot fill the disk with the log.
//
// Files in reading order:
//
//	writer.go            seal a range, send, move on
//	writer_position.go   the stored state
//	writer_blocks.go     which range is next, and its rows
//	writer_gaps.go       what left the log
//	send.go              one table of a block
//	reader.go            messages of one partition
//	table.go, tables.go  the tables as columns
//	clickhouse.go, memory.go   the two implementations of Warehouse
//	schema/              versioned migrations
package warehouse
