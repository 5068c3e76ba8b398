package campaign

import (
	"reflect"
	"testing"
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
			ch.loops, ch.leaps, ch.leapAt = []loopCount{{"a", 2}, {"b", 1}}, 3, 77
		}),
		"variants": chain(func(ch *Chain) { ch.Variants = []Passed{{Step: "offer", Variant: "a"}, {Step: "second", Variant: "b"}} }),
		"reply":    chain(func(ch *Chain) { ch.reply = []byte(`{"score":2}`) }),
		"held":     chain(func(ch *Chain) { ch.still = true }),
		"queue": chain(func(*Chain) {}).with(func(c *Customer) {
			c.queue = []queued{{"cart", c.Chains[0].Trigger}, {"b", c.Chains[0].Trigger}}
		}),
		"exposed": chain(func(ch *Chain) {
			ch.exposed = []exposed{{"offer", "a", 7, 900, 492322, true}, {"second", "b", 1 << 63, 901, 0, false}}
		}),
		"behind":  chain(func(ch *Chain) { ch.behind = 9 }),
		"planned": chain(func(ch *Chain) { ch.planned = 4 }),
		"takebacks": chain(func(ch *Chain) {
			ch.takebacks = []takeback{{goal: "seen", at: 900, step: "toast", currency: "EUR"}, {goal: "g", at: 1, done: true}}
		}),
	} {
		b := c.AppendTo(nil)
		got, err := DecodeCustomer(b, Names{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if b[0] != CustomerFormat || !reflect.DeepEqual(got, c) {
			t.Errorf("%s: format %d, unexpected customer\n got %+v\nwant %+v", name, b[0], got, c)
		}
	}
}

func TestTagSection(t *testing.T) {
	c := NewCustomer("w", "ann", 1, 1)
	if !c.Tag("b") || !c.Tag("a") || !c.Tagged("a") || c.Tagged("c") {
		t.Errorf("unexpected tags %v", c.Tags)
	}
	got, err := DecodeCustomer(c.AppendTo(nil), Names{})
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
