package shard

// Stats describes a shard for metrics.
type Stats struct {
	Customers     int    // in memory
	CustomerBytes int64  // estimated size of the customers in memory
	Timers        int    // armed, one a customer at most; not those held behind the catch-up barrier
	DedupeIDs     int    // event ids that are remembered
	DedupeWindow  int64  // how far back they reach, ms of log time
	Now           int64  // log time, ms
	NextDue       int64  // log time at which a Step is needed, ms; 0: none
	Outbox        int    // effect messages that are not acknowledged
	Erased        uint64 // events of erased customers that were dropped since the start
}

// Stats returns the present figures.
func (o *Owner) Stats() Stats {
	s := o.Shard
	return Stats{
		Customers: s.customers.loaded(), CustomerBytes: s.customers.size(), Timers: s.timers.count(),
		DedupeIDs: s.dedupe.Len(), DedupeWindow: s.dedupe.Window(s.now), Now: s.now,
		NextDue: s.NextDue(), Outbox: len(o.outbox), Erased: o.refused,
	}
}
