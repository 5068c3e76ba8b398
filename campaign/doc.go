// Package campaign is the language: what a marketer can say, and what it means
// for one customer.
//
// It holds no code; its packages are layers, the lowest first:
//
//	unit, jsonvalue  money, durations and instants; JSON values
//	zone, schedule   time zones, cron rules and calendars
//	event            an event, and what ids and names are
//	output           what is decided: deliveries, decisions, rows, reasons
//	customer         the whole state of one customer, and its stored bytes
//	expr             expressions (CEL), and the index that finds those that can hold
//	program          a campaign compiled: triggers, steps, policies
//	active           the active campaigns of a workspace, their counters and versions
//	trace, winner    why something was decided; which variant of an experiment won
//	machine          applies one record or one due timer to one customer
//	parse            definition files (YAML, JSON) to programs; nothing of the engine imports it
//
// A Machine applies one record or one due timer to one Customer under the active Set, and
// writes what follows from it (deliveries, decisions, chain and goal rows) to an Output.
//
// The packages are pure: no clock, no randomness, no goroutine, no I/O, and no
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
