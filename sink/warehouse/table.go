package warehouse

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/internal/wire"
	"github.com/nudge-engine/nudge/stream"
)

// Table is rows of one table, column by column, so that they are appended
// without a row in between.
type Table struct {
	Name    string
	Columns []Column
	Rows    int
}

// Column is one column; Values is a slice of what its type takes.
type Column struct {
	Name   string
	Type   string
	Values any
}

// at names where a row comes from; every table has these columns.
type at struct {
	Block     []uint64
	Partition []uint16
	Seq       []uint64 // of the frame (events), of the effect message (others)
	Idx       []uint32 // in it
}

func (a *at) add(block uint64, partition int, seq uint64, idx int) {
	a.Block = append(a.Block, block)
	a.Partition = append(a.Partition, uint16(partition))
	a.Seq = append(a.Seq, seq)
	a.Idx = append(a.Idx, uint32(idx))
}

// chainOf names the chain that a row is about.
type chainOf struct {
	workspace, campaign, customer, key []string
	version, entry                     []uint32
}

func (c *chainOf) addChain(workspace, campaign, customer, key string, version, entry uint32) {
	c.workspace = append(c.workspace, workspace)
	c.campaign = append(c.campaign, campaign)
	c.customer = append(c.customer, customer)
	c.key = append(c.key, key)
	c.version = append(c.version, version)
	c.entry = append(c.entry, entry)
}

// with are the columns of the chain and then others.
func (c *chainOf) with(columns ...Column) []Column {
	return append([]Column{
		{"workspace", low, c.workspace},
		{"campaign", low, c.campaign},
		{"version", number, c.version},
		{"customer", text, c.customer},
		{"chain_key", text, c.key},
		{"entry", number, c.entry},
	}, columns...)
}

const (
	// low is for columns that are LowCardinality(String) in the tables. The engine turns
	// texts into that for a fraction of what the client takes to do it row by row.
	low    = "String"
	text   = "String"
	when   = "DateTime64(3, 'UTC')"
	number = "UInt32"
	amount = "Decimal(18, 6)"
)

func (a *at) table(name string, columns ...Column) *Table {
	return &Table{Name: name, Rows: len(a.Block), Columns: append(columns,
		Column{"block", "UInt64", a.Block}, Column{"partition", "UInt16", a.Partition},
		Column{"seq", "UInt64", a.Seq}, Column{"idx", "UInt32", a.Idx})}
}

func instant(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func optional(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := instant(ms)
	return &t
}

func money(m unit.Money) decimal.Decimal { return decimal.New(int64(m), -6) }

// rows gathers the rows of a block.
type rows struct {
	block uint64
	names event.Names // of workspaces and events in this block
	lost  []lostFrame

	events struct {
		at
		workspace, customer, event, message, kind, properties, traits, context []string
		eventTime, receivedAt                                                  []time.Time
	}
	deliveries struct {
		at
		chainOf
		step, channel, variant, status, reason, detail, delivery, trigger []string
		attempt                                                           []uint32
		when, due                                                         []time.Time
	}
	decisions struct {
		at
		chainOf
		step, kind, reason, detail, event []string
		when                              []time.Time
	}
	chains struct {
		at
		chainOf
		outcome, goal, variants []string
		currency                []string
		enteredAt               []time.Time
		endedAt                 []*time.Time
		value                   []decimal.Decimal
		heldOut                 []uint8
		revision                []uint64
	}
	goals struct {
		at
		chainOf
		goal, step, currency, event []string
		value                       []decimal.Decimal
		when                        []time.Time
		reversal                    []uint8
	}
	dead struct {
		at
		workspace, customer, reason, field, detail, raw []string
		when                                            []time.Time
	}
}

// newRows gathers the rows of a block that is expected to have so many events.
func newRows(block uint64, events int) *rows {
	r := &rows{block: block, names: event.Names{}}
	t := &r.events
	t.Block, t.Partition = make([]uint64, 0, events), make([]uint16, 0, events)
	t.Seq, t.Idx = make([]uint64, 0, events), make([]uint32, 0, events)
	for _, column := range []*[]string{
		&t.workspace, &t.customer, &t.event, &t.message, &t.kind, &t.properties, &t.traits, &t.context,
	} {
		*column = make([]string, 0, events)
	}
	t.eventTime, t.receivedAt = make([]time.Time, 0, events), make([]time.Time, 0, events)
	return r
}

// frame adds the event rows of a frame, without those that were not applied.
func (r *rows) frame(partition int, seq uint64, f *stream.Frame, dropped map[uint32]bool) error {
	t := &r.events
	received := instant(f.Time)
	for i := range f.Records {
		if f.Records[i].Kind != stream.KindEvent || dropped[uint32(i)] {
			continue
		}
		e, err := event.DecodeAlias(f.Records[i].Data, r.names)
		if err != nil {
			return err
		}
		t.add(r.block, partition, seq, i)
		t.workspace = append(t.workspace, e.Workspace)
		t.customer = append(t.customer, e.Customer)
		t.event = append(t.event, e.Name)
		t.message = append(t.message, e.ID)
		t.kind = append(t.kind, e.Type.String())
		// Nobody writes to a message of the log.
		t.properties = append(t.properties, wire.Alias(e.Properties))
		t.traits = append(t.traits, wire.Alias(e.Traits))
		t.context = append(t.context, wire.Alias(e.Context))
		t.eventTime = append(t.eventTime, instant(e.Time))
		t.receivedAt = append(t.receivedAt, received)
	}
	return nil
}

// message adds the rows of an effect message.
func (r *rows) message(partition int, m *effect.Message) {
	for i := range m.Deliveries {
		r.delivery(partition, m.N, i, &m.Deliveries[i])
	}
	for i := range m.Decisions {
		r.decision(partition, m.N, i, &m.Decisions[i])
	}
	for i := range m.Chains {
		r.chain(partition, m.N, i, &m.Chains[i])
	}
	for i := range m.Goals {
		r.goal(partition, m.N, i, &m.Goals[i])
	}
	for i := range m.DeadLetters {
		l, t := &m.DeadLetters[i], &r.dead
		t.add(r.block, partition, m.N, i)
		t.workspace = append(t.workspace, l.Workspace)
		t.customer = append(t.customer, l.Customer)
		t.reason = append(t.reason, string(l.Reason))
		t.field = append(t.field, l.Field)
		t.detail = append(t.detail, l.Detail)
		t.raw = append(t.raw, string(l.Raw))
		t.when = append(t.when, instant(l.At))
	}
}

// delivery adds one state of a delivery. A later attempt is handed off too, but
// is a retry, which has a row of its own already.
func (r *rows) delivery(partition int, seq uint64, i int, d *output.Delivery) {
	if d.Status == output.HandedOff && d.Attempt > 1 {
		return
	}
	t := &r.deliveries
	t.add(r.block, partition, seq, i)
	t.addChain(d.Workspace, d.Campaign, d.Customer, d.Key, d.Version, d.Entry)
	t.step = append(t.step, d.Step)
	t.channel = append(t.channel, d.Channel)
	t.variant = append(t.variant, d.Variant)
	t.status = append(t.status, string(d.Status))
	t.reason = append(t.reason, string(d.Reason))
	t.detail = append(t.detail, d.Detail)
	t.delivery = append(t.delivery, d.ID.String())
	t.trigger = append(t.trigger, d.TriggerID)
	t.attempt = append(t.attempt, d.Attempt)
	t.when = append(t.when, instant(d.At))
	t.due = append(t.due, instant(d.Due))
}

func (r *rows) decision(partition int, seq uint64, i int, d *output.Decision) {
	t := &r.decisions
	t.add(r.block, partition, seq, i)
	t.addChain(d.Workspace, d.Campaign, d.Customer, d.Key, d.Version, d.Entry)
	t.step = append(t.step, d.Step)
	t.kind = append(t.kind, string(d.Kind))
	t.reason = append(t.reason, string(d.Reason))
	t.detail = append(t.detail, d.Detail)
	t.event = append(t.event, d.EventID)
	t.when = append(t.when, instant(d.At))
}

// chain adds a state of a chain. Its revision grows with each state, because a
// chain's states come from one partition in the order of its effect messages.
func (r *rows) chain(partition int, seq uint64, i int, c *output.ChainRow) {
	t := &r.chains
	t.add(r.block, partition, seq, i)
	t.addChain(c.Workspace, c.Campaign, c.Customer, c.Key, c.Version, c.Entry)
	t.outcome = append(t.outcome, string(c.Outcome))
	t.goal = append(t.goal, c.Goal)
	t.enteredAt = append(t.enteredAt, instant(c.EnteredAt))
	t.endedAt = append(t.endedAt, optional(c.EndedAt))
	t.value = append(t.value, money(c.Value))
	t.currency = append(t.currency, c.Currency)
	t.variants = append(t.variants, string(output.VariantsJSON(c.Variants)))
	heldOut := uint8(0)
	if c.HeldOut {
		heldOut = 1
	}
	t.heldOut = append(t.heldOut, heldOut)
	t.revision = append(t.revision, seq<<20|uint64(i))
}

func (r *rows) goal(partition int, seq uint64, i int, g *output.GoalRow) {
	t := &r.goals
	t.add(r.block, partition, seq, i)
	t.addChain(g.Workspace, g.Campaign, g.Customer, g.Key, g.Version, g.Entry)
	t.goal = append(t.goal, g.Goal)
	t.step = append(t.step, g.Step)
	t.currency = append(t.currency, g.Currency)
	t.event = append(t.event, g.EventID)
	t.value = append(t.value, money(g.Value))
	t.when = append(t.when, instant(g.At))
	reversal := uint8(0)
	if g.Reversal {
		reversal = 1
	}
	t.reversal = append(t.reversal, reversal)
}
