// Package server is nudged as a library: one node that takes events over HTTP, runs the
// campaigns, sends, and writes what happened to ClickHouse. It wires the packages of the
// engine together; what is more than wiring has a package below this one:
//
//	admission    whether a partition takes events
//	catalog      the definitions in force, compiled
//	deploy       puts definition files in force
//	erasure      erases customers
//	retention    trims the log
//	child        the embedded ClickHouse as a child process
//	admin        the HTTP interface for those who run the server
//	exposition   metrics as text
package server
