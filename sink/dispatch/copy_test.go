package dispatch

import (
	"errors"
	"log/slog"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// Effect messages that are copied together are one message of each channel; what a channel
// has already from an attempt that failed for another one is not put there twice, and after
// a restart neither.
func TestCopiedTogether(t *testing.T) {
	f := newFixture(t)
	start := func() *Dispatcher {
		d, err := New(Config{
			Log: f.log, Effects: []stream.Stream{f.effects}, Store: storage.NewMemory(),
			Logger: slog.New(slog.DiscardHandler), MaxBytes: 1 << 20,
		})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	var messages []stream.Message
	for n := uint64(1); n <= 6; n++ {
		e := &effect.Effects{Seq: n}
		for _, channel := range []string{"mail", "push"} {
			if channel == "push" && n%2 == 0 {
				continue // not every message has something for it
			}
			e.Deliveries = append(e.Deliveries, output.Delivery{
				ID: output.ID{byte(n)}, Customer: strconv.Itoa(int(n)), Channel: channel, Status: output.HandedOff,
			}, output.Delivery{Customer: "ghost", Channel: channel, Status: output.StatusGhost})
		}
		new(effect.Encoder).Encode(e, n, func(n uint64, data []byte) {
			messages = append(messages, stream.Message{Seq: n, Data: data})
		})
	}
	copied := func(d *Dispatcher, from, to int) {
		t.Helper()
		if err := d.copyMessages(t.Context(), 0, messages[from-1:to]); err != nil {
			t.Fatal(err)
		}
	}
	d := start()
	copied(d, 1, 3)
	copied(d, 2, 4) // as after a failure behind 1
	copied(start(), 3, 6)
	want := map[string][]string{"mail": {"3: 1 2 3", "4: 4", "6: 5 6"}, "push": {"3: 1 3", "6: 5"}}
	for channel, batches := range want {
		if got := batchesOf(t, f.log, channel); !reflect.DeepEqual(got, batches) {
			t.Errorf("%s has %q; want %q", channel, got, batches)
		}
	}
}

// batchesOf lists the batches of a channel: the last effect message, and the customers.
func batchesOf(t *testing.T, log stream.Log, channel string) (all []string) {
	t.Helper()
	s, err := log.Open(t.Context(), stream.SendStream(channel), stream.Options{MaxBytes: 1 << 20, Subjects: []string{"0"}})
	if err != nil {
		t.Fatal(err)
	}
	for seq := uint64(1); ; seq++ {
		m, err := s.Get(t.Context(), seq)
		if errors.Is(err, stream.ErrNotFound) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		p, err := decodeSendBatch(m.Data)
		if err != nil {
			t.Fatal(err)
		}
		text := []string{strconv.Itoa(int(p.effect)) + ":"}
		for i := range p.deliveries {
			text = append(text, p.deliveries[i].Customer)
		}
		all = append(all, strings.Join(text, " "))
	}
}
