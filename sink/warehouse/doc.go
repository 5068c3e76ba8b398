// Package warehouse writes what happened and what was decided to ClickHouse.
//
// It is a sink behind the log: it reads frames and effect messages at its own
// pace and never slows ingest. Rows go in blocks. The range of a block (which
// messages of which partitions) is stored before the first attempt; the rows are
// a function of that range, and every attempt carries the same deduplication
// token. After a start the sealed block is looked for in the table before it is
// sent again, because the engine does not sync its record of tokens: so a row is
// there once, also after a power loss.
//
//	reader.go   messages of one partition -> rows
//	writer.go   seal a range, send, move on
//	table.go    the tables as columns
//	clickhouse.go, memory.go   the two implementations of Warehouse
//	schema/     versioned migrations
package warehouse
