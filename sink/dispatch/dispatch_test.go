package dispatch

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/internal/goldentest"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

func TestSendBatchGolden(t *testing.T) {
	p := sendBatch{effect: 7, deliveries: []output.Delivery{{ID: output.ID{1}, Customer: "ann", Status: output.HandedOff}}}
	b := encodeSendBatch(p.effect, []*output.Delivery{&p.deliveries[0]}, 0)
	goldentest.Bytes(t, "send_batch.v1", b)
	got, err := decodeSendBatch(b)
	if err != nil || !reflect.DeepEqual(got, p) {
		t.Errorf("unexpected batch %+v, error %v", got, err)
	}
}

func TestWebhook(t *testing.T) {
	f := func(status int, want output.Verdict) {
		t.Helper()
		var body map[string]any
		var id string
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			text, err := io.ReadAll(r.Body)
			if err != nil || json.Unmarshal(text, &body) != nil {
				t.Errorf("unexpected body %s, error %v", text, err)
			}
			id = r.Header.Get("Idempotency-Key")
			if status == http.StatusFound {
				http.Redirect(w, r, "http://127.0.0.1:1/", status)
				return
			}
			w.WriteHeader(status)
		}))
		defer s.Close()
		d := output.Delivery{ID: output.ID{5}, Campaign: "c", Customer: "ann", TriggerID: "m1", Attempt: 2}
		o := NewWebhook(s.URL).Send(t.Context(), &Outgoing{
			Delivery: d, Message: []program.Field{{Name: "body", Source: "hi"}},
		})
		if o.Verdict != want || id != d.ID.String() || body["delivery_id"] != id || body["trigger_id"] != "m1" ||
			!reflect.DeepEqual(body["message"], map[string]any{"body": "hi"}) {
			t.Errorf("status %d: unexpected outcome %+v, id %q, body %v; want verdict %d", status, o, id, body, want)
		}
	}
	f(200, output.Accepted)
	f(204, output.Accepted)
	f(302, output.Permanent)
	f(400, output.Permanent)
	f(410, output.Permanent)
	f(408, output.Temporary)
	f(429, output.Temporary)
	f(503, output.Temporary)
	if o := NewWebhook("http://127.0.0.1:1/").Send(t.Context(), new(Outgoing)); o.Verdict != output.Temporary {
		t.Errorf("nobody there: unexpected %+v; want temporary", o)
	}
}

// fixture is a dispatcher over a log in memory with one channel that records.
type fixture struct {
	log     *stream.Memory
	effects stream.Stream
	events  stream.Stream
	store   storage.Store
	mu      sync.Mutex
	sent    []string
	may     func(d *output.Delivery) bool
	arrived chan struct{}
	gate    chan struct{} // not nil: a send waits until it is closed
	all     bool          // the shard can be asked about many at once
}

func (f *fixture) Send(_ context.Context, o *Outgoing) Outcome {
	f.mu.Lock()
	f.sent = append(f.sent, o.Delivery.Customer+" "+o.Message[0].Source)
	f.mu.Unlock()
	f.arrived <- struct{}{}
	if f.gate != nil {
		<-f.gate
	}
	return Outcome{Verdict: output.Accepted}
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{
		log: stream.NewMemory(time.Now), store: storage.NewMemory(), arrived: make(chan struct{}, 1000),
		may: func(*output.Delivery) bool { return true },
	}
	var err error
	if f.effects, err = f.log.Open(t.Context(), "FX_0", stream.Options{MaxBytes: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	if f.events, err = f.log.Open(t.Context(), "EV_0", stream.Options{MaxBytes: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	return f
}

// run runs a dispatcher until its stop is called.
func (f *fixture) run(t *testing.T) (stop func()) {
	t.Helper()
	publisher := stream.NewPublisher([]stream.Stream{f.events}, func() (int64, error) { return 1, nil },
		slog.New(slog.DiscardHandler))
	var mayLeaveAll func(context.Context, int, []output.Delivery, uint64) []bool
	if f.all {
		mayLeaveAll = func(_ context.Context, _ int, all []output.Delivery, _ uint64) []bool {
			answers := make([]bool, len(all))
			for i := range all {
				answers[i] = f.may(&all[i])
			}
			return answers
		}
	}
	d, err := New(Config{
		MaySendAll: mayLeaveAll,
		Log:        f.log, Effects: []stream.Stream{f.effects}, Store: f.store, Publisher: publisher, MaxBytes: 1 << 20,
		MaySend: func(_ context.Context, d *output.Delivery, _ uint64) (bool, error) { return f.may(d), nil },
		Texts: func(_, _ string, version uint32, step string) ([]program.Field, error) {
			return []program.Field{{Name: "body", Source: step + " v" + strconv.Itoa(int(version)) + " {{ customer.id }}"}}, nil
		},
		Channel: func(string) (Channel, error) { return f, nil },
		Logger:  slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { d.Run(ctx); close(done) }()
	if err := d.Ensure(t.Context(), "hook"); err != nil {
		t.Fatal(err)
	}
	return func() { cancel(); <-done; publisher.Close(context.Background()) }
}

// emit appends an effect message with one delivery a customer.
func (f *fixture) emit(t *testing.T, n uint64, customers ...string) {
	t.Helper()
	e := &effect.Effects{Seq: n}
	for i, c := range customers {
		e.Deliveries = append(e.Deliveries, output.Delivery{
			ID: output.ID{byte(n), byte(i)}, Workspace: "default", Campaign: "c", Version: 2, Customer: c, Step: "hello",
			Channel: "hook", Status: output.HandedOff, Attempt: 1, Values: []byte(`{"customer.id":"` + c + `"}`),
		})
	}
	new(effect.Encoder).Encode(e, n, func(n uint64, data []byte) {
		pre := stream.Append{Data: data, Conditional: true, After: n - 1}
		if _, err := stream.AppendWait(t.Context(), f.effects, pre); err != nil {
			t.Fatal(err)
		}
	})
}

func (f *fixture) wait(t *testing.T, n int) {
	t.Helper()
	for range n {
		select {
		case <-f.arrived:
		case <-time.After(20 * time.Second):
			t.Fatalf("fewer than %d sends", n)
		}
	}
}

// waitFor waits for one send: others, repeated, may come before it.
func (f *fixture) waitFor(t *testing.T, text string) {
	t.Helper()
	for {
		f.mu.Lock()
		came := slices.Contains(f.sent, text)
		f.mu.Unlock()
		if came {
			return
		}
		f.wait(t, 1)
	}
}

// Deliveries are sent once, rendered, over a stop and a start; results return as
// records; what may not leave does not.
func TestDispatch(t *testing.T) {
	t.Run("one by one", func(t *testing.T) { testDispatch(t, false) })
	t.Run("at once", func(t *testing.T) { testDispatch(t, true) })
}

func testDispatch(t *testing.T, all bool) {
	t.Helper()
	f := newFixture(t)
	f.all = all
	f.may = func(d *output.Delivery) bool { return d.Customer != "recalled" }
	f.emit(t, 1, "ann", "recalled", "bob")
	stop := f.run(t)
	f.wait(t, 2)
	stop()
	f.emit(t, 2, "cleo")
	stop = f.run(t)
	f.waitFor(t, "cleo hello v2 cleo")
	stop()
	f.mu.Lock()
	defer f.mu.Unlock()
	want := map[string]int{"ann hello v2 ann": 1, "bob hello v2 bob": 1, "cleo hello v2 cleo": 1}
	got := map[string]int{}
	for _, s := range f.sent {
		got[s]++
	}
	// After a stop in between, a send whose end was not noted may be made again:
	// the shard says no then, which this fixture does not. So: at least once.
	for s := range want {
		if got[s] < 1 {
			t.Errorf("%q was not sent; sent %v", s, got)
		}
	}
	if len(got) != len(want) {
		t.Errorf("unexpected sends %v; want %v", got, want)
	}
	results := 0
	info, err := f.events.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for seq := uint64(1); seq <= info.Last; seq++ {
		m, err := f.events.Get(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		frame, err := stream.DecodeFrame(m.Data)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range frame.Records {
			if res, err := output.DecodeResult(r.Data); err != nil || res.Verdict != output.Accepted {
				t.Errorf("unexpected result %+v, error %v", res, err)
			}
			results++
		}
	}
	if results != len(f.sent) {
		t.Errorf("%d results for %d sends", results, len(f.sent))
	}
}

// Deliveries that wait behind a channel that hangs are asked for again before they
// leave: what was allowed when they came may have been recalled since.
func TestAskedAgainAfterWaiting(t *testing.T) {
	t.Run("one by one", func(t *testing.T) { testAskedAgain(t, false) })
	t.Run("at once", func(t *testing.T) { testAskedAgain(t, true) })
}

func testAskedAgain(t *testing.T, all bool) {
	t.Helper()
	const customers = 3 * workersPerChannel
	f := newFixture(t)
	f.all = all
	f.gate = make(chan struct{})
	var stopped atomic.Bool
	var asked, refused atomic.Int64
	f.may = func(*output.Delivery) bool {
		asked.Add(1)
		if stopped.Load() {
			refused.Add(1)
		}
		return !stopped.Load()
	}
	names := make([]string, customers)
	for n := range names {
		names[n] = strconv.Itoa(n)
	}
	f.emit(t, 1, names...)
	stop := f.run(t)
	f.wait(t, workersPerChannel)
	deadline := time.Now().Add(20 * time.Second)
	for asked.Load() < customers && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	stopped.Store(true)
	close(f.gate)
	for refused.Load() < customers-workersPerChannel && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	stop()
	if len(f.sent) != workersPerChannel {
		t.Errorf("%d of %d deliveries left; the %d that had begun were right", len(f.sent), customers, workersPerChannel)
	}
}
