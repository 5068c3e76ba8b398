// Package bench measures nudge: what a machine takes from HTTP to a readable
// ClickHouse row, how long a delivery takes at a fixed rate, and what a customer
// weighs in memory.
//
// Each figure is checked against a model before it is shown: the generator knows
// how many events it sent and how many deliveries they must cause, and asks the
// tables whether exactly that came out. A figure of a run that lost or doubled
// something has Correct = false and is no figure.
//
// Throughput is told as a share of a limit taken in the same run: the bare pipe
// of Pipe, which does what any durable ingest must do and nothing else. The share
// says more than the figure, because it leaves the machine out.
//
// The generator, the server and ClickHouse share the machine. That is part of
// what is measured.
package bench
