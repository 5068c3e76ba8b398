package customer

import (
	"reflect"
	"testing"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
)

// What the steps keep with a customer survives storage, and costs nothing where it is
// not used.
func TestStepSections(t *testing.T) {
	chain := func(change func(*Chain)) *Customer {
		c := fullCustomer()
		change(c.Chains[0])
		return c
	}
	for name, c := range map[string]*Customer{
		"loops": chain(func(ch *Chain) {
			ch.Loops, ch.BackJumps, ch.LastJumpAt = []LoopCount{{"a", 2}, {"b", 1}}, 3, 77
		}),
		"variants": chain(func(ch *Chain) {
			ch.Variants = []output.Passed{{Step: "offer", Variant: "a"}, {Step: "second", Variant: "b"}}
		}),
		"reply": chain(func(ch *Chain) { ch.Reply = []byte(`{"score":2}`) }),
		"held":  chain(func(ch *Chain) { ch.Still = true }),
		"queue": chain(func(*Chain) {}).with(func(c *Customer) {
			c.Queue = []Queued{{"cart", c.Chains[0].Trigger}, {"b", c.Chains[0].Trigger}}
		}),
		"exposed": chain(func(ch *Chain) {
			ch.Exposed = []Exposed{{"offer", "a", 7, 900, 492322, true}, {"second", "b", 1 << 63, 901, 0, false}}
		}),
		"behind":  chain(func(ch *Chain) { ch.Behind = 9 }),
		"planned": chain(func(ch *Chain) { ch.Planned = 4 }),
		"takebacks": chain(func(ch *Chain) {
			ch.Reversals = []Reversal{{Goal: "seen", At: 900, Step: "toast", Currency: "EUR"}, {Goal: "g", At: 1, Done: true}}
		}),
	} {
		b := c.AppendTo(nil)
		got, err := Decode(b, event.Names{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if b[0] != Format || !reflect.DeepEqual(got, c) {
			t.Errorf("%s: format %d, unexpected customer\n got %+v\nwant %+v", name, b[0], got, c)
		}
	}
}

func TestTagSection(t *testing.T) {
	c := New("w", "ann", 1, 1)
	if !c.Tag("b") || !c.Tag("a") || !c.Tagged("a") || c.Tagged("c") {
		t.Errorf("unexpected tags %v", c.Tags)
	}
	got, err := Decode(c.AppendTo(nil), event.Names{})
	if err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("unexpected customer %+v, error %v", got, err)
	}
	if !c.Untag("a") || c.Untag("a") || !c.Untag("b") || c.AppendTo(nil)[0] != 1 {
		t.Errorf("unexpected tags %v after removal", c.Tags)
	}
}

func (c *Customer) with(change func(*Customer)) *Customer {
	change(c)
	return c
}
