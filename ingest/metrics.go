package ingest

import (
	"fmt"

	"github.com/VictoriaMetrics/metrics"
)

// counters are the server's metrics; server/exposition has their texts. Counters count calls,
// not events: a call can be two events.
type counters struct {
	set *metrics.Set
	// accepted, rejected and unavailable count calls by what became of them; unkept counts
	// refused calls that were not kept for the operator either.
	accepted, rejected, unavailable *metrics.Counter
	unkept                          *metrics.Counter
	// seconds measures requests from head to answer, whatever the answer.
	seconds *metrics.Histogram
}

// newCounters registers the metrics in a set.
func newCounters(set *metrics.Set) counters {
	return counters{
		set:         set,
		accepted:    set.GetOrCreateCounter(`nudge_ingest_events_total{result="accepted"}`),
		rejected:    set.GetOrCreateCounter(`nudge_ingest_events_total{result="rejected"}`),
		unavailable: set.GetOrCreateCounter(`nudge_ingest_events_total{result="unavailable"}`),
		unkept:      set.GetOrCreateCounter(`nudge_ingest_rejects_not_kept_total`),
		seconds:     set.GetOrCreateHistogram(`nudge_ingest_request_seconds`),
	}
}

// request counts an answered request by its status.
func (c *counters) request(status int) {
	c.set.GetOrCreateCounter(fmt.Sprintf(`nudge_ingest_requests_total{status="%d"}`, status)).Inc()
}
