// Package event has the records that tell what happened to a customer: events, as the tracking
// API sent them, and transfers from a customer who merged into another. Their stored forms are
// part of the log.
package event
