package machine

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/internal/clip"
)

// maxHolds bounds the dedupe keys that one customer holds; a send that needs another is dropped.
const maxHolds = 1000

// dedupeKey returns the dedupe key of the chain that the scope looks at; empty when the campaign has
// no dedupe rule, or the key has no value. Keys are cut to 256 bytes, as re-entry keys are.
func (sd *sends) dedupeKey(p *program.Program) string {
	if p.Policy.Dedupe == nil {
		return ""
	}
	key, _ := sd.identifier(p.Policy.Dedupe.Key)
	return clip.Text(key, 256)
}

// lockHolder returns the campaign of the other chain that holds a key, empty when the key is free
// for ch. full reports that there is no room for another key. A chain never refuses itself: a second
// send of the same chain passes.
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

// takeKey gives a key to a chain that is about to send. A key that the chain holds already is
// not prolonged: the window counts from its first send.
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

// dropHolds drops the keys whose window is over.
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

// hasKey reports whether a dedupe rule concerns the delivery.
func hasKey(q *sendQuestion) bool { return q.msg.key != "" }

// refusesKey refuses a delivery whose key another chain holds, or for whose key there is no room.
func refusesKey(q *sendQuestion) refusal {
	holder, full := q.sd.lockHolder(q.msg.key, q.t.chain)
	if holder != "" {
		return refusal{reason: output.ReasonDedupe, detail: holder}
	}
	return refuseIf(full, output.ReasonKeys, "")
}

// noteDedupe notes the key and the chain that holds it, this one included.
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
