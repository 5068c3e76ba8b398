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

// Table is rows of one table, column by column, as ClickHouse stores and takes them.
type Table struct {
	Name    string
	Columns []Column
	Rows    int // length of each column
}

// Column is one column of rows.
type Column struct {
	Name   string
	Type   string // ClickHouse's name of the type that is sent
	Values any    // a slice of what the type takes
}

// at says where rows come from; every table has these columns. Together they identify a
// row, and give it the same place at each attempt.
type at struct {
	Block     []uint64 // see Writer.blockID
	Partition []uint16
	Seq       []uint64 // of the frame for events, of the effect message for others
	Idx       []uint32 // index in it, from 0
}

// add adds the place of one row.
func (a *at) add(block uint64, partition int, seq uint64, idx int) {
	a.Block = append(a.Block, block)
	a.Partition = append(a.Partition, uint16(partition))
	a.Seq = append(a.Seq, seq)
	a.Idx = append(a.Idx, uint32(idx))
}

// chainOf says which chains rows are about.
type chainOf struct {
	workspace, campaign, customer, key []string
	version, entry                     []uint32
}

// addChain adds the chain of one row.
func (c *chainOf) addChain(workspace, campaign, customer, key string, version, entry uint32) {
	c.workspace = append(c.workspace, workspace)
	c.campaign = append(c.campaign, campaign)
	c.customer = append(c.customer, customer)
	c.key = append(c.key, key)
	c.version = append(c.version, version)
	c.entry = append(c.entry, entry)
}

// with returns the columns of the chain, followed by others.
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

// Types in which columns are sent.
const (
	// low is for columns that are LowCardinality(String) in the tables. The engine turns
	// texts into that for a fraction of what the client takes to do it row by row.
	low    = "String"
	text   = "String"
	when   = "DateTime64(3, 'UTC')"
	number = "UInt32"
	amount = "Decimal(18, 6)"
)

// table returns a table of the columns, followed by those that say where the rows come
// from.
func (a *at) table(name string, columns ...Column) *Table {
	return &Table{Name: name, Rows: len(a.Block), Columns: append(columns,
		Column{"block", "UInt64", a.Block}, Column{"partition", "UInt16", a.Partition},
		Column{"seq", "UInt64", a.Seq}, Column{"idx", "UInt32", a.Idx})}
}

// instant converts ms since the epoch.
func instant(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// optional converts ms since the epoch; 0 is nil, which becomes NULL.
func optional(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := instant(ms)
	return &t
}

// money converts millionths of a currency unit.
func money(m unit.Money) decimal.Decimal { return decimal.New(int64(m), -6) }

// rows gathers the rows of one block, column by column. It must be used by one goroutine
// at a time.
type rows struct {
	block uint64      // number of the block, see Writer.blockID
	names event.Names // strings that the events of the block repeat
	lost  []lostFrame // frames whose rows cannot be written

	// One row for each event that was applied.
	events struct {
		at
		workspace, customer, event, message, kind, properties, traits, context []string
		eventTime, receivedAt                                                  []time.Time
	}
	// One row for each state of a delivery.
	deliveries struct {
		at
		chainOf
		step, channel, variant, status, reason, detail, delivery, trigger []string
		attempt                                                           []uint32
		when, due                                                         []time.Time
	}
	// One row for each decision.
	decisions struct {
		at
		chainOf
		step, kind, reason, detail, event []string
		when                              []time.Time
	}
	// One row for each state of a chain; the one with the greatest revision is the
	// present state.
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
	// One row for each goal reached, and one for each that was taken back.
	goals struct {
		at
		chainOf
		goal, step, currency, event []string
		value                       []decimal.Decimal
		when                        []time.Time
		reversal                    []uint8
	}
	// One row for each dead letter.
	dead struct {
		at
		workspace, customer, reason, field, detail, raw []string
		when                                            []time.Time
	}
}

// newRows returns an empty block with room for as many events as are expected, so that
// its many columns need not grow.
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

// frame adds the event rows of a frame, without the records that were not applied.
func (r *rows) frame(partition int, seq uint64, f *stream.Frame, dropped map[uint32]bool) error {
	t := &r.events
	// The writer's clock stamped the frame just before it was appended.
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
		// The texts share the bytes of the message, to which nobody writes.
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

// delivery adds one state of a delivery. A later attempt is handed off again, but it
// follows a retry, which has a row already.
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

// decision adds one decision.
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

// chain adds a state of a chain. Its revision grows with each state, because the states
// of a chain come from one partition in the order of its effect messages.
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
	// A message has far fewer than 2^20 rows.
	t.revision = append(t.revision, seq<<20|uint64(i))
}

// goal adds a goal that was reached or taken back.
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
