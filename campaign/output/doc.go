// Package output has what the engine decides for a customer: deliveries, decisions with their
// reasons, and the rows of chains, goals and exposures; and the results of deliveries, which
// come back through the log. Ids are functions of what they name.
package output
