package bench

// Figure is one number that a scenario is about, with what it would be at best.
type Figure struct {
	Scenario string  `json:"scenario"`
	Name     string  `json:"name"`
	Value    float64 `json:"value"`
	Unit     string  `json:"unit,omitempty"`
	// Limit is what it would be at best: what the part of the way that bounds it does alone,
	// in the same run. 0: nothing bounds it.
	Limit float64 `json:"limit,omitempty"`
	// Less says that less is better.
	Less bool `json:"less_is_better,omitempty"`
}

// Share is how much of the limit is reached, 1 at best; 0 without a limit.
func (f Figure) Share() float64 {
	switch {
	case f.Limit <= 0 || f.Value <= 0:
		return 0
	case f.Less:
		return f.Limit / f.Value
	default:
		return f.Value / f.Limit
	}
}

// All is the report of a whole run.
type All struct {
	Machine string            `json:"machine"`
	Figures []Figure          `json:"figures"`
	Reports map[string]Report `json:"scenarios"`
}

// Sum fills in the figures.
func (a *All) Sum() {
	a.Figures = nil
	limits, _ := a.Reports["limits"].(*Limits)
	if limits == nil {
		limits = &Limits{}
	}
	add := func(f Figure) { a.Figures = append(a.Figures, f) }
	if r, ok := a.Reports["throughput"].(*Throughput); ok {
		add(Figure{"throughput", "events readable", r.EventsPerSecond, "/s", r.LimitPerSecond, false})
		add(Figure{"throughput", "events accepted", r.AcceptedPerSecond, "/s", limits.Log, false})
		add(Figure{"throughput", "rows written", r.EventsPerSecond, "/s", limits.Warehouse, false})
		add(Figure{"throughput", "CPU of nudged an event", r.CPU.Nudged, "us", 0, true})
	}
	for _, batch := range []string{"1", "1000"} {
		if r, ok := a.Reports["throughput-"+batch].(*Throughput); ok {
			name := "events readable, batches of " + batch
			add(Figure{"throughput", name, r.EventsPerSecond, "/s", r.LimitPerSecond, false})
		}
	}
	if r, ok := a.Reports["campaigns"].(*Campaigns); ok {
		add(Figure{"campaigns", "cost with the most over the fewest", r.CostRatio, "x", 1, true})
		add(Figure{"campaigns", "memory of a campaign", r.BytesPerCampaign, "B", 0, true})
	}
	if r, ok := a.Reports["latency"].(*Latency); ok {
		add(Figure{"latency", "accept to hand-off, p50", r.P50, "ms", r.Limit.P50, true})
		add(Figure{"latency", "accept to hand-off, p99", r.P99, "ms", r.Limit.P99, true})
		add(Figure{"latency", "until acknowledged, p99", r.Accepted.P99, "ms", r.Limit.P99, true})
	}
	for _, share := range []string{"25", "75"} {
		if r, ok := a.Reports["latency-"+share].(*Latency); ok {
			add(Figure{"latency", "the same at " + share + " % load, p99", r.P99, "ms", r.Limit.P99, true})
		}
	}
	if r, ok := a.Reports["customers"].(*Customers); ok {
		add(Figure{"customers", "memory of a customer", r.BytesPerCustomer, "B", r.StoredBytes, true})
		add(Figure{"customers", "the same in use", r.AwakeBytes, "B", r.StoredBytes, true})
		add(Figure{"customers", "events through a shard", r.FoldPerSec, "/s and core", limits.JSON, false})
	}
	if r, ok := a.Reports["recovery"].(*Recovery); ok {
		add(Figure{"recovery", "time after kill -9", r.Seconds, "s", 0, true})
		add(Figure{"recovery", "customers recovered", r.PerSecond, "/s", limits.Store, false})
	}
	if r, ok := a.Reports["timers"].(*Timers); ok {
		add(Figure{"timers", "late when decided, p50", r.FireP50, "ms", 0, true})
		add(Figure{"timers", "late when decided, p99", r.FireP99, "ms", 0, true})
		add(Figure{"timers", "late when sent, p99", r.SentP99, "ms", 0, true})
		add(Figure{"timers", "sent, of those that fell due", r.SentPerSecond, "/s", r.DuePerSecond, false})
	}
	if r, ok := a.Reports["soak"].(*Soak); ok {
		add(Figure{"soak", "accept to hand-off, p99", r.P99, "ms", r.Limit.P99, true})
		add(Figure{"soak", "memory grown from quarter to quarter", float64(r.GrownMiB), "MiB", 0, true})
	}
	if r, ok := a.Reports["outage"].(*Outage); ok {
		add(Figure{"outage", "rate kept without ClickHouse", r.During, "/s", r.Before, false})
		add(Figure{"outage", "caught up after", r.CatchUpSeconds, "s", 0, true})
	}
	if r, ok := a.Reports["peers"].(*Peers); ok {
		add(Figure{"peers", "events done, nudge", r.Nudge, "/s", 0, false})
		add(Figure{"peers", "events done, River + PostgreSQL", r.PeerRate, "/s", 0, false})
		add(Figure{"peers", "nudge to River", r.Ratio, "x", 0, false})
	}
	if r, ok := a.Reports["growth"].(*Growth); ok {
		for _, c := range r.Curves {
			add(Figure{"growth", "cost for ten times as many " + c.Of, c.Worst, "x", 1, true})
		}
	}
}
