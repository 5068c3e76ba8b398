package shard

// Stats describes a shard for metrics.
type Stats struct {
	Customers     int   // in memory
	CustomerBytes int64 // estimate
	Timers        int
	DedupeIDs     int
	DedupeWindow  int64 // ms
	Now           int64 // log time, ms
	NextDue       int64 // ms; 0: none
	Outbox        int
	Erased        uint64 // events of erased customers that were dropped since the start
}

// Stats is how the shard stands now.
func (o *Owner) Stats() Stats {
	s := o.Shard
	return Stats{
		Customers: s.customers.loaded(), CustomerBytes: s.customers.bytes, Timers: s.wheel.Len(),
		DedupeIDs: s.dedupe.Len(), DedupeWindow: s.dedupe.Window(s.now), Now: s.now,
		NextDue: s.NextDue(), Outbox: len(o.outbox), Erased: o.refused,
	}
}
