package machine

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/output"
)

const mergeCampaigns = `
apiVersion: nudge/v1
kind: Campaign
metadata: {name: asks}
spec:
  trigger: {event: {name: Never}}
  audience: >-
    customer.count("Pay") > 0 && customer.sum("Pay", "x") > 0.0 && customer.count("Pay", "1h") > 0 &&
    customer.sum("See", "x", "2h") > 0.0
  goals: [{id: g, event: Pay}]
  stop: [{event: See}]
  steps: [{id: s, delay: 1h}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: idle}
spec:
  trigger: {inactivity: {event: Pay, for: 100d}}
  steps: [{id: s, delay: 1h}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: streaky}
spec:
  trigger: {streak: {event: Pay, length: 500, max_gap: 1h, break_on: {event: See}}}
  steps: [{id: s, delay: 1h}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: birthday}
spec:
  trigger: {date: {path: customer.traits.born, repeat: yearly, at: "09:00"}}
  steps: [{id: s, delay: 1h}]
`

// Whatever was done under two ids counts, after the merge, as if it had been done under
// one: the state is that of a customer who did all of it.
func TestMergeIsAsOneCustomer(t *testing.T) {
	for seed := range uint64(200) {
		rng := seeded(seed)
		whole, known, anonymous := newStage(t, mergeCampaigns), newStage(t, mergeCampaigns), newStage(t, mergeCampaigns)
		whole.c.ID, known.c.ID, anonymous.c.ID = "ann", "ann", customer.AnonymousPrefix+"x"
		for n := range 60 {
			who := known
			if rng.IntN(2) == 0 {
				who = anonymous
			}
			name, properties := "Pay", fmt.Sprintf(`{"x":%d}`, n+1)
			switch rng.IntN(6) {
			case 0:
				name = "See"
			case 1: // each says something else, so that it does not matter who wins
				name, properties = "$identify", fmt.Sprintf(
					`{"t%d":1,"consent":{"c%d":%v}}`,
					n,
					rng.IntN(3),
					rng.IntN(2) == 0,
				)
			}
			at := int64(n+1) * 60_000
			for _, s := range []*stage{whole, who} {
				s.advance(at)
				s.ids = n + 1 // ids agree; nobody's first record is special here
				s.event(name, properties)
			}
		}
		for _, s := range []*stage{whole, known, anonymous} {
			s.advance(3_700_000)
		}
		mergeStages(t, known, anonymous)
		compareMerged(t, seed, known.c, whole.c)
		if t.Failed() {
			return
		}
	}
}

// mergeStages freezes the anonymous customer and gives the known one what comes of it.
func mergeStages(t *testing.T, known, anonymous *stage) {
	t.Helper()
	e := &event.Event{Workspace: "w", Customer: anonymous.c.ID, ID: "alias", Type: event.Alias, Time: anonymous.now}
	var out output.Output
	anonymous.m.Freeze(anonymous.c, e, known.c.ID, true, anonymous.now, &out)
	for i := range out.Transfers {
		tr := out.Transfers[i]
		whole, ok := known.c.AddSource(tr.Source).Take(tr.Body, tr.Kind == event.TransferState)
		if tr.N != uint64(i+1) || !ok || (whole != nil) != (i == len(out.Transfers)-1) {
			t.Fatalf("unexpected transfer %d of kind %d, taken %v", tr.N, tr.Kind, ok)
		}
		if whole == nil {
			known.take()
			continue
		}
		other, err := customer.Decode(whole, event.Names{})
		if err != nil {
			t.Fatal(err)
		}
		known.m.Merge(known.c, other, known.now, false, &known.out)
	}
	known.take()
	left := customer.Customer{
		Workspace: "w", ID: anonymous.c.ID, CreatedAt: anonymous.c.CreatedAt, CreatedPlace: anonymous.c.CreatedPlace,
		Merged: &customer.Tombstone{Into: known.c.ID, Sent: uint64(len(out.Transfers))},
	}
	if !reflect.DeepEqual(*anonymous.c, left) || anonymous.c.NextDue() != 0 {
		t.Fatalf("the anonymous customer is %+v", *anonymous.c)
	}
}

func compareMerged(t *testing.T, seed uint64, got, want *customer.Customer) {
	t.Helper()
	check := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("seed %d: %s\n got %+v\nwant %+v", seed, what, got, want)
		}
	}
	check("counters", got.Counters, want.Counters)
	check("rings", got.Rings, want.Rings)
	check("windows", got.Windows, want.Windows)
	check("streaks", got.Streaks, want.Streaks)
	check("consents", got.Consents, want.Consents)
	check("watches", got.Watches, want.Watches)
	// The trait "consent" is an object: the known one's wins as a whole.
	check("traits", len(sortedTraits(got)), len(sortedTraits(want)))
}

func sortedTraits(c *customer.Customer) []string {
	var l jsonvalue.Lazy
	l.Reset(c.Traits)
	if l.Object() == nil {
		return nil
	}
	return jsonvalue.SortedKeys(l.Object())
}

// Chains keep their id, timer and pending deliveries under a new number; caps, keys, tags,
// dates and entries are those of both.
func TestMergeJoinsTheRest(t *testing.T) {
	known, anonymous := newStage(t, mergeCampaigns), newStage(t, mergeCampaigns)
	known.c, anonymous.c = customer.New("w", "ann", 500, 7), customer.New("w", customer.AnonymousPrefix+"x", 500, 7)
	known.c.Entries = []customer.Entry{{Campaign: "asks", Number: 4, LastIn: 9, LastOut: 3}}
	anonymous.c.Entries = []customer.Entry{
		{Campaign: "asks", Number: 2, LastIn: 8, LastOut: 5},
		{Campaign: "x", Key: "k", Keyed: true, Number: 1},
	}
	ch := &customer.Chain{
		Campaign:  "asks",
		Version:   1,
		Entry:     2,
		Key:       "A",
		EnteredAt: 1000,
		Step:      "s",
		Opened:    1100,
		Due:       50_000,
		Outcome:   output.Active,
	}
	anonymous.c.Chains = []*customer.Chain{ch}
	id := ch.ID(anonymous.c)
	anonymous.c.Pending = []customer.Pending{{RetryAt: 7000, Delivery: output.Delivery{
		ID: output.ID{
			1,
			2,
			3,
		},
		Workspace: "w",
		Campaign:  "asks",
		Version:   1,
		Customer:  anonymous.c.ID,
		Key:       "A",
		Entry:     2,
		Step:      "s",
		Channel:   "email",
		Status:    output.HandedOff,
		Expires:   99_000,
		Attempt:   1,
	}}}
	known.c.Tags, anonymous.c.Tags = []string{"a", "c"}, []string{"b", "c"}
	known.c.Traits, anonymous.c.Traits = []byte(`{"a":1,"b":1}`), []byte(`{"b":2,"c":2}`)
	known.c.Holds = []customer.DedupeLock{{Key: "k", Campaign: "p", Entry: 1, Until: 90}}
	anonymous.c.Holds = []customer.DedupeLock{
		{Key: "k", Campaign: "asks", Entry: 2, Until: 95},
		{Key: "l", Campaign: "asks", Entry: 1, Until: 9},
	}
	known.c.CapUses = []customer.CapUse{
		{Cap: "w", Uses: []customer.Use{{At: 1, ID: output.ID{1}}, {At: 5, ID: output.ID{2}}}},
	}
	anonymous.c.CapUses = []customer.CapUse{
		{Cap: "w", Uses: []customer.Use{{At: 3, ID: output.ID{3}}, {At: 5, ID: output.ID{2}}}},
	}
	known.c.Dates = []customer.DateWatch{{Campaign: "gone", Offset: 1, Spec: 1, Fired: []int64{2020, 2022}}}
	anonymous.c.Dates = []customer.DateWatch{{Campaign: "gone", Offset: 1, Spec: 1, Fired: []int64{2021, 2022}}}
	known.now, anonymous.now = 10, 10
	mergeStages(t, known, anonymous)

	c := known.c
	if len(c.Chains) != 1 || c.Chains[0].Entry != 6 || c.Chains[0].ID(c) != id || c.Chains[0].Due != 50_000 {
		t.Errorf("unexpected chain %+v", c.Chains[0])
	}
	if d := c.Pending[0].Delivery; d.Customer != "ann" || d.Entry != 6 || d.ID != (output.ID{1, 2, 3}) {
		t.Errorf("unexpected delivery %+v", d)
	}
	if e := c.Entry("asks", "", false); *e != (customer.Entry{Campaign: "asks", Number: 6, LastIn: 9, LastOut: 5}) ||
		c.Entry("x", "k", true) == nil {
		t.Errorf("unexpected entries %+v", c.Entries)
	}
	if !slices.Equal(c.Tags, []string{"a", "b", "c"}) || string(c.Traits) != `{"a":1,"b":1,"c":2}` {
		t.Errorf("unexpected tags %v, traits %s", c.Tags, c.Traits)
	}
	if !slices.Equal(c.Holds, []customer.DedupeLock{{Key: "k", Campaign: "asks", Entry: 6, Until: 95}}) {
		t.Errorf("unexpected keys %+v", c.Holds)
	}
	if !slices.Equal(
		c.CapUses[0].Uses,
		[]customer.Use{{At: 1, ID: output.ID{1}}, {At: 3, ID: output.ID{3}}, {At: 5, ID: output.ID{2}}},
	) {
		t.Errorf("unexpected uses %+v", c.CapUses)
	}
	if !slices.Equal(c.Dates[0].Fired, []int64{2020, 2021, 2022}) {
		t.Errorf("unexpected dates %+v", c.Dates)
	}
}

// A state that is larger than a transfer goes in parts.
func TestLargeStateGoesInParts(t *testing.T) {
	known, anonymous := newStage(t, mergeCampaigns), newStage(t, mergeCampaigns)
	known.c.ID, anonymous.c.ID = "ann", customer.AnonymousPrefix+"x"
	for n := range 5 {
		anonymous.event("Pay", fmt.Sprintf(`{"x":%d,"note":%q}`, n, strings.Repeat("n", 20<<10)))
	}
	mergeStages(t, known, anonymous)
	if n := known.c.Counter("Pay").Count; n != 5 {
		t.Errorf("unexpected count %d", n)
	}
	if s := known.c.Source(customer.AnonymousPrefix + "x"); !s.Whole {
		t.Errorf("unexpected source %+v", s)
	}
}
