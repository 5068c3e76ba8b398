package customer

import (
	"errors"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/goldentest"
	"github.com/nudge-engine/nudge/internal/wire"
)

func TestTags(t *testing.T) {
	c := New("w", "ann", 0, 1)
	if !c.Tag("b") || !c.Tag("a") || !c.Tag("b") || c.Tag("") || !slices.Equal(c.Tags, []string{"a", "b"}) {
		t.Errorf("unexpected tags %v", c.Tags)
	}
	before := c.Tags
	if !c.Tagged("a") || !c.Untag("a") || c.Untag("a") || c.Tagged("a") || !slices.Equal(before, []string{"a", "b"}) {
		t.Errorf("unexpected tags %v, before %v", c.Tags, before)
	}
	for i := range maxTags + 5 {
		c.Tag(strconv.Itoa(i))
	}
	if len(c.Tags) != maxTags {
		t.Errorf("%d tags", len(c.Tags))
	}
}

// Each section survives alone and with the others.
func TestTriggerSections(t *testing.T) {
	full := Customer{
		Streaks: []Streak{{Campaign: "a", Spec: 1, After: -5, Marks: []Mark{{Time: 7}, {Time: 9, Break: true}}}},
		Levels:  []Latch{{Campaign: "b", Spec: 2, On: true}},
		Windows: []Window{{Event: "E", Width: 60_000, Items: []Occurrence{
			{Time: 60_000, Count: 3, Sums: []Sum{{Property: "n", Total: -4}}},
		}}},
		Tags: []string{"vip"},
	}
	for name, change := range map[string]func(*Customer){
		"streaks": func(c *Customer) { c.Streaks = full.Streaks },
		"levels":  func(c *Customer) { c.Levels = full.Levels },
		"windows": func(c *Customer) { c.Windows = full.Windows },
		"tags":    func(c *Customer) { c.Tags = full.Tags },
		"all": func(c *Customer) {
			c.Streaks, c.Levels, c.Windows, c.Tags = full.Streaks, full.Levels, full.Windows, full.Tags
		},
	} {
		c := fullCustomer()
		change(c)
		b := c.AppendTo(nil)
		got, err := Decode(b, event.Names{})
		if err != nil || !reflect.DeepEqual(got, c) || b[0] != 2 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// When a value may change is stored, and is a timer.
func TestLevelTimerSection(t *testing.T) {
	c := New("default", "ann", 1000, 7)
	c.Levels = []Latch{
		{Campaign: "a", Spec: 7, On: true, Due: 9000},
		{Campaign: "b", Spec: 8, On: true},
		{Campaign: "c", Due: 9500},
	}
	b := c.AppendTo(nil)
	goldentest.Bytes(t, "customer_levels.v2", b)
	got, err := Decode(b, nil)
	if err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("unexpected customer %+v, error %v; want %+v", got, err, c)
	}
	if due, err := DecodeNextDue(b); err != nil || due != 9000 {
		t.Errorf("next due %d, error %v; want 9000", due, err)
	}
	for n := range b {
		if _, err := Decode(b[:n], nil); !errors.Is(err, wire.ErrCorrupt) {
			t.Fatalf("prefix of %d bytes: unexpected error %v; want ErrCorrupt", n, err)
		}
	}
	c.Quarantine(9000, 9100)
	if due := c.NextDue(); due != 9500 {
		t.Errorf("after quarantine due at %d; want 9500", due)
	}
	for i := range c.Levels {
		c.Levels[i].Due = 0
	}
	if levelTimerSection.has(c) {
		t.Error("levels without timers have the section of timers")
	}
}
