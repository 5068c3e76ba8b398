// Package campaign is the language: what a marketer can say, and what it means
// for one customer.
//
// A definition file (YAML or JSON) is parsed and compiled into a Program; the
// active programs of a workspace form a Set. A Customer is the whole state of
// one customer: profile, counters, rings of recent events, chains, armed
// timers. A Machine applies one record or one due timer to one customer and
// writes what follows from it (deliveries, decisions, chain and goal rows) to
// an Output.
//
// The package is pure: no clock, no randomness, no goroutine, no I/O, and no
// map iteration where order can show. The same customer, set, record and `now`
// give the same customer and the same output, byte for byte. All instants are
// milliseconds since the Unix epoch, UTC.
//
// Numbered rules that code and tests cite:
//
//	L1  Order inside one record: profile and counters; then chains by (campaign
//	    name, entry number), each with goals, stops, waits; then triggers by
//	    campaign name; then entered and advanced chains run until each rests.
//	L2  The record that triggers a chain is never goal, stop or wait of it.
//	L3  No delivery is decided after the record that stopped its chain, and the
//	    ones without a result are recalled in the same step.
//	L4  A timer due at or before a record's time fires before the record.
//	L5  Ids are functions of what they name (workspace, campaign, customer, key,
//	    entry number, step, channel), never of a clock or of the partition.
//	L6  A missing value makes a predicate false; any other evaluation error is
//	    false too and is recorded as a decision.
//	L7  What a customer's chains send at one instant is decided in one total order,
//	    when all of them have come to their sends: transactional first, priority, due
//	    time, campaign name, entry number. A cap is asked and used up in one step.
package campaign
