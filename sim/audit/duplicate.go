package audit

// Duplicates is for how long the id of a record is known, ms of log time: exactly so long
// after it was new it is new again.
const Duplicates = 24 * 3_600_000

// had says whether a record of the customer with that id came and is still known.
func (c *customer) had(id string) bool {
	at, ok := c.seen[id]
	return ok && c.a.now < at+Duplicates
}
