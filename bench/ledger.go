package bench

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// How often the tables are read while rows are missing, and for how long no new row may
// come.
const (
	rowPoll  = 25 * time.Millisecond
	rowLimit = 3 * time.Minute // without a new row: something is lost
)

// Query asks the server's ClickHouse for one row of numbers.
func (s *Server) Query(ctx context.Context, sql string) ([]int, error) {
	text, err := get(ctx, "http://reader:"+readerPassword+"@"+s.clickhouse+"/?query="+
		url.QueryEscape(sql+" FORMAT TSV"))
	if err != nil {
		return nil, fmt.Errorf("bench: %s: %w", sql, err)
	}
	var numbers []int
	for _, field := range strings.Fields(text) {
		n, err := strconv.Atoi(field)
		if err != nil {
			return nil, fmt.Errorf("bench: %s: answer %q: %w", sql, text, err)
		}
		numbers = append(numbers, n)
	}
	if len(numbers) == 0 {
		return nil, fmt.Errorf("bench: %s: no answer", sql)
	}
	return numbers, nil
}

// awaitRows waits until a count reaches want, and says when that was seen. It
// gives up when the count does not grow for long; the ledger then says what is
// missing.
func (s *Server) awaitRows(ctx context.Context, sql string, want int, p *Progress) (time.Time, error) {
	grown, last := time.Now(), -1
	for {
		got, err := s.Query(ctx, sql)
		now := time.Now()
		switch {
		case err != nil && now.Sub(grown) > rowLimit:
			return now, s.explain(err)
		case err != nil: // ClickHouse starts again after the server that was killed
			got = []int{max(last, 0)}
		}
		if err == nil && got[0] >= want {
			return now, nil
		}
		if got[0] != last {
			grown, last = now, got[0]
		}
		if now.Sub(grown) > rowLimit {
			return now, nil
		}
		p.Note("%s of %s rows readable", thousands(got[0]), thousands(want))
		if err := s.wait(ctx, rowPoll); err != nil {
			return now, s.explain(err)
		}
	}
}

// Ledger is what the tables hold.
type Ledger struct {
	Rows             int `json:"rows"`
	UniqueRows       int `json:"unique_rows"`
	HandedOff        int `json:"handed_off"`
	UniqueDeliveries int `json:"unique_deliveries"`
	Sent             int `json:"sent"` // deliveries that the channel took, as far as the tables know yet
	DeadLetters      int `json:"dead_letters"`
}

// Ledger reads the tables.
func (s *Server) Ledger(ctx context.Context) (Ledger, error) {
	var l Ledger
	for _, q := range []struct {
		sql  string
		into []*int
	}{
		{"SELECT count(), uniqExact(message_id) FROM nudge.events", []*int{&l.Rows, &l.UniqueRows}},
		{"SELECT countIf(status = 'handed_off'), uniqExactIf(delivery_id, status = 'handed_off'), " +
			"countIf(status = 'sent') FROM nudge.deliveries", []*int{&l.HandedOff, &l.UniqueDeliveries, &l.Sent}},
		{"SELECT count() FROM nudge.dead_letters", []*int{&l.DeadLetters}},
	} {
		got, err := s.Query(ctx, q.sql)
		if err != nil {
			return l, s.explain(err)
		}
		if len(got) != len(q.into) {
			return l, fmt.Errorf("bench: %s: %d numbers; want %d", q.sql, len(got), len(q.into))
		}
		for i := range got {
			*q.into[i] = got[i]
		}
	}
	return l, nil
}

// check says what differs from what was acknowledged and what the model expects.
func (l Ledger) check(events, deliveries int) []string {
	var wrong []string
	for _, c := range []struct {
		what      string
		got, want int
	}{
		{"rows in events", l.Rows, events},
		{"different message ids in events", l.UniqueRows, events},
		{"deliveries handed off", l.HandedOff, deliveries},
		{"different deliveries handed off", l.UniqueDeliveries, deliveries},
		{"dead letters", l.DeadLetters, 0},
	} {
		if c.got != c.want {
			wrong = append(wrong, fmt.Sprintf("%s: %d; want %d", c.what, c.got, c.want))
		}
	}
	return wrong
}
