// Package customer has the whole state of one customer and its stored form: profile, counters, recent
// events, chains, armed timers, consents, and what policies count.
//
// It has the data and simple operations on it; what a record or timer does to a customer is decided by
// campaign/machine. A customer belongs to one shard and is used by its goroutine alone.
//
// The stored form (codec.go) has a fixed part and sections (section.go). What only some customers have
// is a section with a tag of its own, so that customers without it pay nothing for it. Tags are part of
// the format and are never used again for something else. Equal customers have equal bytes, whichever
// program version wrote them: state hashes compare customers by their bytes.
//
// Begin with customer.go and chain.go; each other file has one kind of state together with its section.
package customer
