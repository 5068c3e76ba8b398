// Package output has what the engine decides about a customer: deliveries, decisions with their
// reasons, and the rows of chains, goals and exposures. It also has the results of deliveries, which
// channels return and which come back to the engine through the log.
//
// Everything here is plain data without behaviour. Ids are hashes of what they name (id.go), so the
// same log gives the same ids in every run. Kinds, reasons, statuses and outcomes are closed lists;
// they are stored, so a value that is in use is never renamed.
package output
