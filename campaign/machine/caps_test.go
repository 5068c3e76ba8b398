package machine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/campaign/zone"
)

// capModel counts the slow way: everything that was ever handed off under a cap and not
// given back, by the local calendar of Go's time package or by subtraction.
type capModel struct {
	cap  program.Cap
	used []output.Delivery
}

func (c *capModel) count(at int64, loc *time.Location) (n int) {
	for _, d := range c.used {
		switch then, now := time.UnixMilli(d.At).In(loc), time.UnixMilli(at).In(loc); {
		case d.At > at:
		case c.cap.Window > 0:
			if at-d.At < c.cap.Window {
				n++
			}
		case c.cap.Per == zone.Day:
			if then.Format(time.DateOnly) == now.Format(time.DateOnly) {
				n++
			}
		case c.cap.Per == zone.Month:
			if then.Format("2006-01") == now.Format("2006-01") {
				n++
			}
		default:
			y, w := then.ISOWeek()
			if ny, nw := now.ISOWeek(); y == ny && w == nw {
				n++
			}
		}
	}
	return n
}

func (c *capModel) counts(d *output.Delivery) bool {
	return c.cap.Channel == "" || c.cap.Channel == d.Channel
}

// A cap is never exceeded and refuses nothing that it has room for, over random
// histories with failures, moves to other zones and a store in between; what waits for
// it leaves at the first instant that has room.
func TestCapsAgainstASlowModel(t *testing.T) {
	// shows: 143
	const text = `apiVersion: nudge/v1
kind: Policy
metadata: {name: p}
spec:
  caps:
    - {name: c, limit: %d, %s%s}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: a}
spec:
  trigger: {event: {name: A}}
  reentry: {on_active: parallel}
  policy: {caps: [c], priority: 1}
  steps:
    - {id: s, send: {channels: [email, sms], on_cap: drop}}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: b}
spec:
  trigger: {event: {name: B}}
  reentry: {on_active: parallel}
  policy: {caps: [c], priority: 2}
  steps:
    - {id: s, send: {channel: email, on_cap: defer}}
    - {id: d, delay: 90m}
    - {id: t, send: {channels: [sms, email], on_cap: defer}}
`
	for seed := range uint64(60) {
		r := seeded(seed)
		kind := []string{"window: 36h", "window: 7d", "per: day", "per: week", "per: month"}[seed%5]
		channel := []string{"", ", channel: email"}[r.IntN(2)]
		s := newStage(t, fmt.Sprintf(text, 1+r.IntN(4), kind, channel))
		s.now = time.Date(2026, 2, 27, 0, 0, 0, 0, time.UTC).UnixMilli()
		model := &capModel{cap: *s.m.set.Rules.Caps["c"]}
		loc := time.UTC
		refused := 0
		for range 150 {
			before := len(s.sent)
			gap := r.Int64N(10 * unit.HourMillis)
			if r.IntN(10) == 0 {
				gap = 0
			}
			for until := s.now + gap; s.now < until; { // instant by instant, to see each alone
				next := s.c.NextDue()
				if next == 0 || next > until {
					next = until
				}
				s.advance(next)
				model.check(t, s, &before, &refused, loc, false)
			}
			gave := false
			switch r.IntN(8) {
			case 0, 1, 2:
				s.event("A", "{}")
			case 3, 4, 5:
				s.event("B", "{}")
			case 6:
				name := []string{"Europe/Kyiv", "Pacific/Apia", "America/New_York", "UTC"}[r.IntN(4)]
				loc = mustLoad(t, name)
				gave = true
				s.event("$identify", `{"timezone":"`+name+`"}`)
			default:
				gave = model.fail(s, r.IntN(max(1, len(s.c.Pending))))
			}
			model.check(t, s, &before, &refused, loc, gave)
		}
		if len(model.used) < 2 || refused == 0 {
			t.Fatalf("seed %d: %d sent, %d refused: nothing was tested", seed, len(model.used), refused)
		}
	}
}

// fail ends a pending delivery for good, twice: what it took is given back once.
func (c *capModel) fail(s *stage, i int) (gave bool) {
	if i >= len(s.c.Pending) {
		return false
	}
	d := s.c.Pending[i].Delivery
	for j := range c.used {
		if c.used[j].ID == d.ID {
			c.used = append(c.used[:j], c.used[j+1:]...)
			break
		}
	}
	s.result(&d, output.Permanent)
	s.result(&d, output.Permanent)
	return true
}

// check looks at what was sent and refused since the last call, all at one instant.
func (c *capModel) check(t *testing.T, s *stage, sent, refused *int, loc *time.Location, gave bool) {
	t.Helper()
	for ; *sent < len(s.sent); *sent++ {
		d := s.sent[*sent]
		if !c.counts(&d) {
			continue
		}
		if d.Due < d.At && !gave && c.count(d.At-1, loc) < c.cap.Limit {
			t.Fatalf("%+v: waited until %s, and there was room before", c.cap, unit.FormatTime(d.At))
		}
		c.used = append(c.used, d)
		if n := c.count(d.At, loc); n > c.cap.Limit {
			t.Fatalf("%+v: %d at %s", c.cap, n, unit.FormatTime(d.At))
		}
	}
	for ; *refused < len(s.refused); *refused++ {
		d := s.refused[*refused]
		if d.Reason != output.ReasonCap || !c.counts(&d) {
			t.Fatalf("refused for %s on %s", d.Reason, d.Channel)
		}
		if n := c.count(d.At, loc); n < c.cap.Limit {
			t.Fatalf("%+v: refused at %s with %d", c.cap, unit.FormatTime(d.At), n)
		}
	}
}

func mustLoad(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := zone.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// A delivery counts under every cap that its campaign names, and under none that it
// does not; transactional ones neither ask nor count.
func TestCapScopes(t *testing.T) {
	s := newStage(t, `apiVersion: nudge/v1
kind: Policy
metadata: {name: p}
spec:
  caps:
    - {name: mail, limit: 1, window: 24h, channel: email}
    - {name: news, limit: 1, window: 24h, category: news}
    - {name: all, limit: 3, window: 24h}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: c}
spec:
  trigger: {event: {name: E}}
  policy: {caps: [mail, news, all]}
  steps:
    - {id: s1, send: {channel: email}}
    - {id: s2, send: {channel: email}}
    - {id: s3, send: {channel: sms, category: news}}
    - {id: s4, send: {channel: push, category: news}}
    - {id: s5, send: {channel: sms}}
    - {id: s6, send: {channel: sms}}
    - {id: s7, send: {channel: email, category: transactional}}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: free}
spec:
  trigger: {event: {name: E}}
  steps:
    - {id: f1, send: {channel: email}}
    - {id: f2, send: {channel: email}}
`)
	s.now = 1_772_359_200_000
	s.event("E", "{}")
	var sent, refused []string
	for _, d := range s.sent {
		sent = append(sent, d.Step)
	}
	for _, d := range s.refused {
		refused = append(refused, d.Step)
	}
	if got := strings.Join(sent, " "); got != "s1 s3 s5 s7 f1 f2" {
		t.Errorf("sent %s", got)
	}
	if got := strings.Join(refused, " "); got != "s2 s4 s6" {
		t.Errorf("refused %s", got)
	}
}

// A millisecond decides: one that is exactly the window old no longer counts.
func TestCapBoundary(t *testing.T) {
	// shows: 143
	const text = `apiVersion: nudge/v1
kind: Policy
metadata: {name: p}
spec: {zone: Asia/Colombo, caps: [{name: c, limit: 1, %s}]}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: a}
spec:
  trigger: {event: {name: E}}
  policy: {caps: [c]}
  steps:
    - {id: s, send: {channel: email}}
`
	at := func(text string) int64 {
		i, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return i.UnixMilli()
	}
	for _, c := range []struct{ rule, first, again string }{
		{"window: 24h", "2026-03-01T10:00:00.5Z", "2026-03-02T10:00:00.5Z"},
		{"per: day", "2026-03-01T10:00:00Z", "2026-03-01T18:30:00Z"},   // midnight of Colombo
		{"per: week", "2026-03-01T18:29:59Z", "2026-03-01T18:30:00Z"},  // 1 March was a Sunday
		{"per: month", "2026-02-28T18:30:00Z", "2026-03-31T18:30:00Z"}, // midnight of 1 March, and of 1 April
	} {
		s := newStage(t, fmt.Sprintf(text, c.rule))
		s.now = at(c.first)
		s.event("E", "{}")
		s.advance(at(c.again) - 1)
		s.event("E", "{}")
		s.advance(at(c.again))
		s.event("E", "{}")
		if len(s.sent) != 2 || s.sent[1].At != at(c.again) || len(s.refused) != 1 {
			t.Errorf("%s: %d sent, %d refused; want 2 with the second at %s, 1", c.rule, len(s.sent), len(s.refused), c.again)
		}
	}
}
