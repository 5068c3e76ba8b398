package ingest

import (
	"fmt"

	"github.com/VictoriaMetrics/metrics"
)

// counters are the server's metrics.
type counters struct {
	set                             *metrics.Set
	accepted, rejected, unavailable *metrics.Counter
	unkept                          *metrics.Counter
	seconds                         *metrics.Histogram
}

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

func (c *counters) request(status int) {
	c.set.GetOrCreateCounter(fmt.Sprintf(`nudge_ingest_requests_total{status="%d"}`, status)).Inc()
}
