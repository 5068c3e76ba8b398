// Package main_test plays the real purchase history of the CDNOW cohort through
// the nudge binary and compares what it writes, line by line, with a plain walk
// over each customer's orders that shares nothing with the engine.
package main_test

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	day       = 24 * time.Hour
	orderName = "Order Completed"
)

// countCampaign sends once, when the customer's n-th order arrives.
const countCampaign = `apiVersion: nudge/v1
kind: Campaign
metadata: {name: order-%[1]d}
spec:
  trigger: {count: {event: Order Completed, reaches: %[1]d}}
  steps:
    - {id: hello, send: {channels: [email], inline: {body: hello}}}
`

// lapsedCampaign is three messages to who has not ordered for n days, until the
// next order.
const lapsedCampaign = `apiVersion: nudge/v1
kind: Campaign
metadata: {name: lapsed-%[1]d}
spec:
  trigger: {inactivity: {event: Order Completed, for: %[1]dd}}
  goals:
    - {id: back, event: Order Completed, window: 90d, value: event.properties.total, stop: true}
  steps:
    - {id: now,   send: {channels: [email], inline: {body: hello}}}
    - {id: day,   delay: 24h}
    - {id: next,  send: {channels: [push], inline: {body: hello}}}
    - {id: third, delay: {for: 72h, from: entry}}
    - {id: last,  send: {channels: [telegram], inline: {body: hello}}}
`

// order is one line of the input.
type order struct {
	customer string
	id       string
	at       time.Time
	total    float64
	line     int
}

// delivery is what the contract fixes of a line of deliveries.ndjson.
type delivery struct {
	At        time.Time `json:"at"`
	Due       time.Time `json:"due"`
	Campaign  string    `json:"campaign"`
	Customer  string    `json:"customer"`
	Key       *string   `json:"key"`
	Entry     int       `json:"entry"`
	Step      string    `json:"step"`
	Channel   string    `json:"channel"`
	Variant   *string   `json:"variant"`
	Status    string    `json:"status"`
	Reason    *string   `json:"reason"`
	TriggerID string    `json:"trigger_id"`

	line int // of the order that decided it; 0 is a timer, which comes first
	step int // position in the campaign
}

// chain is what the contract fixes of a line of chains.ndjson.
type chain struct {
	Campaign  string     `json:"campaign"`
	Customer  string     `json:"customer"`
	Key       *string    `json:"key"`
	Entry     int        `json:"entry"`
	EnteredAt time.Time  `json:"entered_at"`
	EndedAt   *time.Time `json:"ended_at"`
	Outcome   string     `json:"outcome"`
	Goal      *string    `json:"goal"`
	Value     *float64   `json:"value"`

	line int
}

func TestCDNOW(t *testing.T) {
	// shows: 3, 4, 16
	events := cdnowFile(t)
	orders := readOrders(t, events)
	nudge := buildNudge(t)
	campaigns := writeCampaigns(t)
	until := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC) // past every timer of the sample
	for _, x := range []struct {
		name string
		args []string
		runs time.Time // when the clock stops
	}{
		{"until", []string{"--until", until.Format(time.RFC3339)}, until},
		{"while a chain waits", nil, clockEnd(orders)},
	} {
		t.Run(x.name, func(t *testing.T) {
			first, second := t.TempDir(), t.TempDir()
			for _, out := range []string{first, second} {
				args := []string{"simulate", "--campaigns", campaigns, "--events", events, "--out", out}
				args = append(args, x.args...)
				if text, err := exec.CommandContext(t.Context(), nudge, args...).CombinedOutput(); err != nil {
					t.Fatalf("nudge %s: %v\n%s", strings.Join(args, " "), err, text)
				}
			}
			sameFiles(t, first, second)
			deliveries, chains := oracle(orders, x.runs)
			compare(t, "deliveries", lines(deliveries), lines(readLines[delivery](t, first, "deliveries.ndjson")))
			compare(t, "chains", lines(chains), lines(readLines[chain](t, first, "chains.ndjson")))
			checkShape(t, first)
		})
	}
}

// oracle is the obvious computation: each customer's orders, in order, and the
// gaps between them. The clock stops at end, inclusive.
func oracle(orders []order, end time.Time) (deliveries []delivery, chains []chain) {
	customers := map[string][]order{}
	var names []string
	for _, o := range orders {
		if customers[o.customer] == nil {
			names = append(names, o.customer)
		}
		customers[o.customer] = append(customers[o.customer], o)
	}
	for _, name := range names {
		own := customers[name]
		for _, n := range []int{1, 2, 5} {
			if len(own) >= n {
				d, c := counted(n, own[n-1])
				deliveries, chains = append(deliveries, d), append(chains, c)
			}
		}
		for _, days := range []int{30, 90} {
			d, c := lapsed(days, own, end)
			deliveries, chains = append(deliveries, d...), append(chains, c...)
		}
	}
	slices.SortFunc(deliveries, func(a, b delivery) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.line, b.line), cmp.Compare(a.Customer, b.Customer),
			cmp.Compare(a.Campaign, b.Campaign), cmp.Compare(a.Entry, b.Entry), cmp.Compare(a.step, b.step))
	})
	slices.SortFunc(chains, func(a, b chain) int {
		return cmp.Or(a.EnteredAt.Compare(b.EnteredAt), cmp.Compare(a.line, b.line),
			cmp.Compare(a.Customer, b.Customer), cmp.Compare(a.Campaign, b.Campaign), cmp.Compare(a.Entry, b.Entry))
	})
	return deliveries, chains
}

func counted(n int, o order) (delivery, chain) {
	name := fmt.Sprintf("order-%d", n)
	ended := o.at
	d := delivery{
		At: o.at, Due: o.at, Campaign: name, Customer: o.customer, Entry: 1, Step: "hello",
		Channel: "email", Status: "handed_off", TriggerID: o.id, line: o.line,
	}
	return d, chain{
		Campaign: name, Customer: o.customer, Entry: 1, EnteredAt: o.at, EndedAt: &ended,
		Outcome: "completed", line: o.line,
	}
}

// lapsed walks the gaps. The instant fires unless an order came before it; an
// order at that very instant comes after the timer. The 72 hours of a chain are
// shorter than any gap that starts another, so chains never overlap.
func lapsed(days int, own []order, end time.Time) (deliveries []delivery, chains []chain) {
	for i, o := range own {
		entered := o.at.Add(time.Duration(days) * day)
		var next *order
		if i+1 < len(own) {
			next = &own[i+1]
		}
		if entered.After(end) || (next != nil && next.at.Before(entered)) {
			continue
		}
		c := chain{
			Campaign: fmt.Sprintf("lapsed-%d", days), Customer: o.customer, Entry: len(chains) + 1,
			EnteredAt: entered, Outcome: "active",
		}
		for k, s := range []struct {
			after         time.Duration
			step, channel string
		}{{0, "now", "email"}, {day, "next", "push"}, {3 * day, "last", "telegram"}} {
			at := entered.Add(s.after)
			if at.After(end) || (next != nil && next.at.Before(at)) {
				break
			}
			deliveries = append(deliveries, delivery{
				At: at, Due: at, Campaign: c.Campaign, Customer: o.customer, Entry: c.Entry, Step: s.step,
				Channel: s.channel, Status: "handed_off", TriggerID: o.id, step: k,
			})
			if s.step == "last" {
				c.Outcome, c.EndedAt = "completed", &at
			}
		}
		if next != nil && !next.at.After(entered.Add(90*day)) {
			goal := "back"
			c.Goal, c.Value = &goal, &next.total
			if c.Outcome == "active" {
				c.Outcome, c.EndedAt = "goal", &next.at
			}
		}
		// Later orders are past the goal: it counts once, and the next order is
		// the first that could.
		chains = append(chains, c)
	}
	return deliveries, chains
}

// clockEnd is when the clock stops without --until: after the last order it
// runs on while a chain waits; an inactivity instant passed meanwhile starts
// another, and with no chain waiting it stops, whatever is still armed.
func clockEnd(orders []order) time.Time {
	end := orders[len(orders)-1].at
	_, all := oracle(orders, end.AddDate(10, 0, 0))
	for { // chains are by entry: each round may reach further ones
		reach := end
		for _, c := range all {
			if !c.EnteredAt.After(end) && c.EndedAt.After(reach) {
				reach = *c.EndedAt
			}
		}
		if reach.Equal(end) {
			return end
		}
		end = reach
	}
}

// TestCDNOWOracle checks the judge itself on orders a reader can follow.
func TestCDNOWOracle(t *testing.T) {
	start := time.Date(1997, 1, 1, 12, 0, 0, 0, time.UTC)
	at := func(customer string, d time.Duration, line int) order {
		return order{customer, fmt.Sprintf("m%d", line), start.Add(d), float64(line), line}
	}
	orders := []order{
		at("a", 0, 1), at("b", time.Second, 2),
		at("a", 31*day, 3),                // in the second message's very instant: the timer is first
		at("b", 33*day, 4),                // a second before the third
		at("c", 123*day, 5),               // its chain enters at 153d, so waits when the orders end
		at("d", 126*day, 6),               // and this one at 156d, when c's ends: the clock is still on
		at("e", 129*day+time.Second, 7),   // one second after d's ends: the clock has stopped
		at("a", 151*day, 8),               // exactly 90 days after its second chain
		at("b", 153*day+2*time.Second, 9), // more than 90 days after its second chain
	}
	var got strings.Builder
	deliveries, chains := oracle(orders, clockEnd(orders))
	for _, d := range deliveries {
		fmt.Fprintf(&got, "%s %s#%d/%s %s\n", d.At.Sub(start), d.Campaign, d.Entry, d.Step, d.Customer)
	}
	for _, c := range chains {
		fmt.Fprintf(&got, "%s %s#%d %s %s", c.EnteredAt.Sub(start), c.Campaign, c.Entry, c.Customer, c.Outcome)
		if c.Goal != nil {
			fmt.Fprintf(&got, " %s=%g", *c.Goal, *c.Value)
		}
		fmt.Fprintf(&got, " %s\n", c.EndedAt.Sub(start))
	}
	want := `0s order-1#1/hello a
1s order-1#1/hello b
720h0m0s lapsed-30#1/now a
720h0m1s lapsed-30#1/now b
744h0m0s lapsed-30#1/next a
744h0m0s order-2#1/hello a
744h0m1s lapsed-30#1/next b
792h0m0s order-2#1/hello b
1464h0m0s lapsed-30#2/now a
1488h0m0s lapsed-30#2/next a
1512h0m0s lapsed-30#2/now b
1536h0m0s lapsed-30#2/last a
1536h0m0s lapsed-30#2/next b
1584h0m0s lapsed-30#2/last b
2904h0m0s lapsed-90#1/now a
2928h0m0s lapsed-90#1/next a
2952h0m0s lapsed-90#1/now b
2952h0m0s order-1#1/hello c
2976h0m0s lapsed-90#1/last a
2976h0m0s lapsed-90#1/next b
3024h0m0s lapsed-90#1/last b
3024h0m0s order-1#1/hello d
3096h0m1s order-1#1/hello e
3672h0m0s lapsed-30#1/now c
3696h0m0s lapsed-30#1/next c
3744h0m0s lapsed-30#1/last c
3744h0m0s lapsed-30#1/now d
3768h0m0s lapsed-30#1/next d
3816h0m0s lapsed-30#1/last d
0s order-1#1 a completed 0s
1s order-1#1 b completed 1s
720h0m0s lapsed-30#1 a goal back=3 744h0m0s
720h0m1s lapsed-30#1 b goal back=4 792h0m0s
744h0m0s order-2#1 a completed 744h0m0s
792h0m0s order-2#1 b completed 792h0m0s
1464h0m0s lapsed-30#2 a completed back=8 1536h0m0s
1512h0m0s lapsed-30#2 b completed 1584h0m0s
2904h0m0s lapsed-90#1 a completed back=8 2976h0m0s
2952h0m0s lapsed-90#1 b completed back=9 3024h0m0s
2952h0m0s order-1#1 c completed 2952h0m0s
3024h0m0s order-1#1 d completed 3024h0m0s
3096h0m1s order-1#1 e completed 3096h0m1s
3672h0m0s lapsed-30#1 c completed 3744h0m0s
3744h0m0s lapsed-30#1 d completed 3816h0m0s
`
	if got.String() != want {
		t.Errorf("unexpected oracle; got\n%s", got.String())
	}
}

// cdnowFile is the sample, or a made history of its shape where there is none.
func cdnowFile(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("NUDGE_CDNOW"); path != "" {
		if _, err := os.Stat(path); err != nil {
			t.Fatalf("NUDGE_CDNOW: %v", err)
		}
		return path
	}
	path, err := filepath.Abs(filepath.FromSlash("../../../shared/data/cdnow/sample.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = os.Stat(path)
	if err == nil {
		return path
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	t.Logf("%s is not there: running on a made history of the same shape instead", path)
	return madeHistory(t)
}

// madeHistory writes orders of 300 customers over 18 months: noon UTC plus the
// rank within the day in seconds, as the sample. Gaps are multiples of days
// around 30, 90 and the chain's own, so timers meet orders.
func madeHistory(t *testing.T) string {
	t.Helper()
	const days = 545
	perDay := make([][]int, days) // customers who order that day
	for c := range 300 {
		gaps := []int{1, 7, 29, 30, 31, 32, 33, 34, 90, 93, 120, 123, 200}
		for d, k := c%90, c; d < days && k < c+1+c%9; k++ {
			perDay[d] = append(perDay[d], c)
			d += gaps[(k*k+c)%len(gaps)]
		}
	}
	var b bytes.Buffer
	start := time.Date(1997, 1, 1, 12, 0, 0, 0, time.UTC)
	n := 0
	for d, customers := range perDay {
		for rank, c := range customers {
			n++
			at := start.AddDate(0, 0, d).Add(time.Duration(rank) * time.Second)
			fmt.Fprintf(&b, `{"type":"track","userId":"made-%05d","event":%q,"messageId":"made-%06d","timestamp":%q,`+
				`"properties":{"order_id":"o-%06d","quantity":1,"total":%d.25,"currency":"USD"}}`+"\n",
				c, orderName, n, at.Format(time.RFC3339), n, n%40)
		}
	}
	path := filepath.Join(t.TempDir(), "made.ndjson")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestMadeHistory: the stand-in must itself be worth running on.
func TestMadeHistory(t *testing.T) {
	orders := readOrders(t, madeHistory(t))
	outcomes := map[string]int{}
	deliveries, chains := oracle(orders, orders[len(orders)-1].at)
	for _, c := range chains {
		outcomes[c.Campaign+" "+c.Outcome]++
	}
	for _, o := range []string{
		"order-1 completed", "order-2 completed", "order-5 completed",
		"lapsed-30 goal", "lapsed-30 completed", "lapsed-30 active",
		"lapsed-90 goal", "lapsed-90 completed",
	} {
		if outcomes[o] == 0 {
			t.Errorf("made history never gives %q; got %v", o, outcomes)
		}
	}
	t.Logf("%d orders, %d deliveries, %v", len(orders), len(deliveries), outcomes)
}

func readOrders(t *testing.T, path string) []order {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var orders []order
	for in := bufio.NewScanner(f); in.Scan(); {
		var line struct {
			Type, UserID, Event, MessageID string
			Timestamp                      time.Time
			Properties                     struct{ Total float64 }
		}
		if err := json.Unmarshal(in.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if line.Type != "track" || line.Event != orderName {
			t.Fatalf("line %d is no order: %s", len(orders)+1, in.Bytes())
		}
		o := order{line.UserID, line.MessageID, line.Timestamp, line.Properties.Total, len(orders) + 1}
		if n := len(orders); n > 0 && o.at.Before(orders[n-1].at) {
			t.Fatalf("line %d is out of order", o.line)
		}
		orders = append(orders, o)
	}
	if len(orders) == 0 {
		t.Fatalf("%s holds no orders", path)
	}
	return orders
}

func buildNudge(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nudge")
	if text, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, text)
	}
	return path
}

func writeCampaigns(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write := func(format string, n int) {
		name := filepath.Join(dir, fmt.Sprintf("campaign-%d.yaml", n))
		if err := os.WriteFile(name, fmt.Appendf(nil, format, n), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []int{1, 2, 5} {
		write(countCampaign, n)
	}
	for _, n := range []int{30, 90} {
		write(lapsedCampaign, n)
	}
	return dir
}

func readLines[T any](t *testing.T, dir, name string) []T {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	var all []T
	for i, line := range bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n")) {
		var v T
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatalf("%s line %d: %v: %s", name, i+1, err, line)
		}
		all = append(all, v)
	}
	return all
}

// lines are the values as JSON again: only what the contract fixes, in one form.
func lines[T any](values []T) []string {
	var all []string
	for _, v := range values {
		b, err := json.Marshal(v)
		if err != nil {
			panic("BUG: " + err.Error())
		}
		all = append(all, string(b))
	}
	return all
}

// compare tells what is missing and what is too much before it tells that the
// order differs: the first is the worse.
func compare(t *testing.T, what string, want, got []string) {
	t.Helper()
	if slices.Equal(want, got) {
		return
	}
	balance := map[string]int{}
	for _, line := range want {
		balance[line]++
	}
	for _, line := range got {
		balance[line]--
	}
	shown := 0
	report := func(lines []string, sign int, text string) {
		for _, line := range lines {
			if balance[line]*sign > 0 && shown < 20 {
				balance[line] -= sign
				shown++
				t.Errorf("%s: %s: %s", what, text, line)
			}
		}
	}
	report(want, 1, "missing")
	shown = 0
	report(got, -1, "not expected")
	t.Errorf("unexpected %s; got %d lines; want %d", what, len(got), len(want))
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			t.Errorf("%s differ first in line %d;\ngot  %s\nwant %s", what, i+1, got[i], want[i])
			return
		}
	}
}

// checkShape: every key is there, in the contract's order; delivery ids differ.
func checkShape(t *testing.T, dir string) {
	t.Helper()
	deliveryKeys := []string{
		"at", "due", "campaign", "version", "customer", "key", "entry", "step", "channel", "variant",
		"status", "reason", "trigger_id", "delivery_id", "message",
	}
	chainKeys := []string{
		"campaign", "customer", "key", "entry", "entered_at", "ended_at", "outcome", "goal", "value",
		"variants", "held_out",
	}
	for i, line := range readLines[json.RawMessage](t, dir, "deliveries.ndjson") {
		if keys := keysOf(t, line); !slices.Equal(keys, deliveryKeys) {
			t.Fatalf("deliveries.ndjson line %d: unexpected keys; got %q; want %q", i+1, keys, deliveryKeys)
		}
	}
	for i, line := range readLines[json.RawMessage](t, dir, "chains.ndjson") {
		if keys := keysOf(t, line); !slices.Equal(keys, chainKeys) {
			t.Fatalf("chains.ndjson line %d: unexpected keys; got %q; want %q", i+1, keys, chainKeys)
		}
	}
	ids := map[string]bool{}
	type named struct {
		ID string `json:"delivery_id"`
		At string `json:"at"`
	}
	for i, d := range readLines[named](t, dir, "deliveries.ndjson") {
		if d.ID == "" || ids[d.ID] {
			t.Fatalf("deliveries.ndjson line %d: delivery_id %q is empty or not its own", i+1, d.ID)
		}
		ids[d.ID] = true
		if !strings.HasSuffix(d.At, "Z") || strings.Contains(d.At, ".") {
			t.Fatalf("deliveries.ndjson line %d: time %q is not whole seconds in UTC", i+1, d.At)
		}
	}
}

func keysOf(t *testing.T, object []byte) []string {
	t.Helper()
	in := json.NewDecoder(bytes.NewReader(object))
	if _, err := in.Token(); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for in.More() {
		key, err := in.Token()
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, fmt.Sprint(key))
		var value json.RawMessage
		if err := in.Decode(&value); err != nil {
			t.Fatal(err)
		}
	}
	return keys
}

// sameFiles: two runs over the same input give the same bytes.
func sameFiles(t *testing.T, a, b string) {
	t.Helper()
	for _, name := range []string{"deliveries.ndjson", "chains.ndjson", "decisions.ndjson", "summary.json"} {
		x, err := os.ReadFile(filepath.Join(a, name))
		if err != nil {
			t.Fatal(err)
		}
		y, err := os.ReadFile(filepath.Join(b, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(x, y) {
			t.Errorf("%s differs between two runs over the same input", name)
		}
	}
}
