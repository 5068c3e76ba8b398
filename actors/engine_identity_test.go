package actors_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/erase"
	"github.com/nudge-engine/nudge/actors/shard/view"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/stream"
)

const leavingCampaign = `
apiVersion: nudge/v1
kind: Campaign
metadata: {name: cart}
spec:
  trigger: {event: {name: Cart}}
  stop: [{event: Bought}]
  steps:
    - {id: say, send: {channel: console}}
    - {id: rest, delay: 24h}
`

// A delivery that was handed off before its customer merged may leave or not as the known
// customer's shard says, in whatever partition; while the state is on its way, it waits.
func TestMayLeaveFollowsAMerge(t *testing.T) {
	d := newDeployment(t, 1)
	d.start(t)
	defer d.stop()
	docs, err := parse.File(d.lang, "f", []byte(leavingCampaign))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.control.Apply(t.Context(), "default", []program.Document{docs[0].Document}); err != nil {
		t.Fatal(err)
	}
	const anonymous = customer.AnonymousPrefix + "x"
	user := ""
	for n := 0; user == "" || stream.PartitionOf("default", user, partitions) == home(anonymous); n++ {
		user = fmt.Sprintf("u%d", n)
	}
	d.publish(t, home(anonymous), stream.KindEvent, (&event.Event{
		Workspace: "default", Customer: anonymous, ID: "m1", Type: event.Track, Name: "Cart", Time: time.Now().UnixMilli(),
	}).AppendTo(nil))
	var handed output.Delivery
	number := d.effect(t, home(anonymous), func(m *effect.Message) bool {
		if len(m.Deliveries) > 0 {
			handed = m.Deliveries[0]
		}
		return len(m.Deliveries) > 0
	})
	d.wantLeave(t, &handed, number, true, nil)

	d.publish(t, home(anonymous), stream.KindEvent, (&event.Event{
		Workspace: "default", Customer: anonymous, ID: "m2", Type: event.Alias, Name: "$alias",
		Time:       time.Now().UnixMilli(),
		Properties: []byte(fmt.Sprintf(`{"userId":%q}`, user)),
	}).AppendTo(nil))
	var transfers []event.Transfer
	d.effect(t, home(anonymous), func(m *effect.Message) bool {
		transfers = m.Transfers
		return len(transfers) > 0
	})
	if len(transfers) != 1 || transfers[0].Customer != user || transfers[0].Source != anonymous || transfers[0].N != 1 {
		t.Fatalf("unexpected transfers %+v", transfers)
	}
	d.wantLeave(t, &handed, number, false, shard.ErrBehind)

	d.publish(t, home(user), stream.KindTransfer, transfers[0].AppendTo(nil))
	d.wantLeave(t, &handed, number, true, nil)
	d.view(t, anonymous, func(v *view.Customer) error {
		if v.MergedInto != user {
			return fmt.Errorf("unexpected %+v", v)
		}
		return nil
	})
	d.view(t, user, func(v *view.Customer) error {
		if len(v.MergedFrom) != 1 || v.MergedFrom[0] != anonymous || len(v.Chains) != 1 || len(v.Pending) != 1 {
			return fmt.Errorf("unexpected %+v", v)
		}
		return nil
	})

	d.publish(t, home(user), stream.KindEvent, (&event.Event{
		Workspace: "default", Customer: user, ID: "m3", Type: event.Track, Name: "Bought",
		Time: time.Now().UnixMilli(),
	}).AppendTo(nil))
	d.wantLeave(t, &handed, number, false, nil)

	// An erased customer's delivery does not wait for a state that never comes.
	record := erase.Record{Workspace: "default", Customer: user, Key: erase.Fingerprint(nil)}
	d.publish(t, home(user), stream.KindErase, record.AppendTo(nil))
	d.wantLeave(t, &handed, number, false, nil)
}

func home(customer string) int { return stream.PartitionOf("default", customer, partitions) }

// publish appends a record and waits until it is durable.
func (d *deployment) publish(t *testing.T, partition int, kind stream.Kind, data []byte) {
	t.Helper()
	done := make(chan error, 1)
	err := d.publisher.Add(partition, []stream.Record{{Kind: kind, Data: data}}, func(err error) { done <- err })
	if err == nil {
		err = <-done
	}
	if err != nil {
		t.Fatal(err)
	}
}

// effect waits for an effect message of a partition and returns its number.
func (d *deployment) effect(t *testing.T, partition int, is func(*effect.Message) bool) uint64 {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for n := uint64(1); time.Now().Before(deadline); {
		raw, err := d.effects[partition].Get(t.Context(), n)
		if errors.Is(err, stream.ErrNotFound) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		m, err := effect.DecodeMessage(raw.Data)
		if err != nil {
			t.Fatal(err)
		}
		if is(&m) {
			return n
		}
		n++
	}
	t.Fatal("the effect did not come")
	return 0
}

// wantLeave waits until the engine says so.
func (d *deployment) wantLeave(t *testing.T, v *output.Delivery, number uint64, want bool, failure error) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		may, err := d.engine.MayLeave(t.Context(), v, number)
		if may == want && errors.Is(err, failure) {
			p := stream.PartitionOf(v.Workspace, v.Customer, partitions)
			all := d.engine.MayLeaveAll(t.Context(), p, []output.Delivery{*v}, number)
			if !want && slices.Contains(all, true) {
				t.Errorf("asked with others %v; alone %v, %v", all, may, err)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("may leave %v, error %v; want %v, %v", may, err, want, failure)
		}
	}
}
