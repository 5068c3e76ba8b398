package machine

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/internal/clip"
)

// maxHolds bounds the dedupe keys that are held for one customer.
const maxHolds = 1000

// dedupeKey is the key of a chain; empty when the campaign has none, or its value is
// missing.
func (sd *sends) dedupeKey(p *program.Program) string {
	if p.Policy.Dedupe == nil {
		return ""
	}
	key, _ := sd.identifier(p.Policy.Dedupe.Key)
	return clip.Text(key, 256)
}

// lockHolder is the campaign of the other chain that holds a key, empty when it is free
// for ch. full says that there is no room for another key.
func (sd *sends) lockHolder(key string, ch *customer.Chain) (holder string, full bool) {
	i, found := sd.c.Hold(key)
	if found && sd.now < sd.c.Holds[i].Until {
		if h := &sd.c.Holds[i]; h.Campaign != ch.Campaign || h.Entry != ch.Entry {
			return h.Campaign, false
		}
		return "", false
	}
	if found || len(sd.c.Holds) < maxHolds {
		return "", false
	}
	sd.dropHolds()
	return "", len(sd.c.Holds) >= maxHolds
}

// takeKey gives a key to a chain that is about to send. A key that it holds already
// is held no longer for that.
func (sd *sends) takeKey(key string, p *program.Program, ch *customer.Chain) {
	if i, found := sd.c.Hold(key); found && sd.now < sd.c.Holds[i].Until {
		return
	}
	sd.dropHolds()
	i, _ := sd.c.Hold(key)
	sd.c.Holds = append(sd.c.Holds, customer.DedupeLock{})
	copy(sd.c.Holds[i+1:], sd.c.Holds[i:])
	sd.c.Holds[i] = customer.DedupeLock{
		Key:      key,
		Campaign: ch.Campaign,
		Entry:    ch.Entry,
		Until:    sd.now + p.Policy.Dedupe.Window,
	}
}

// dropHolds forgets the keys that are free again.
func (sd *sends) dropHolds() {
	kept := sd.c.Holds[:0]
	for _, h := range sd.c.Holds {
		if sd.now < h.Until {
			kept = append(kept, h)
		}
	}
	clear(sd.c.Holds[len(kept):])
	sd.c.Holds = kept
}

func hasKey(q *sendQuestion) bool { return q.msg.key != "" }

func refusesKey(q *sendQuestion) refusal {
	holder, full := q.sd.lockHolder(q.msg.key, q.t.chain)
	if holder != "" {
		return refusal{reason: output.ReasonDedupe, detail: holder}
	}
	return refuseIf(full, output.ReasonKeys, "")
}

func noteDedupe(q *sendQuestion, rule trace.Rule, r refusal) {
	c, key := q.sd.c, q.msg.key
	facts := []trace.Fact{trace.TextFact("key", key)}
	if i, found := c.Hold(key); found && q.sd.now < c.Holds[i].Until {
		h := &c.Holds[i]
		facts = append(
			facts,
			trace.TextFact("held by", h.Campaign),
			trace.NumberFact("entry", h.Entry),
			trace.TimeFact("until", h.Until),
		)
	}
	q.note(rule, r.answer(), "", facts...)
}
