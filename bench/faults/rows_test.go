package faults_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/stream"
)

// tally is what the comparison of ClickHouse with the log found.
type tally struct{ tables, rows, chains int }

func (f tally) String() string {
	return fmt.Sprintf("%d rows of %d tables and %d chains are those of the log", f.rows, f.tables, f.chains)
}

// expected is what the log says that ClickHouse must have.
type expected struct {
	rows   map[string]map[string]bool // table -> partition, seq, idx
	chains map[string]string          // chain -> its last outcome
}

func (e *expected) row(table string, p int, seq uint64, i int) {
	if e.rows[table] == nil {
		e.rows[table] = map[string]bool{}
	}
	e.rows[table][fmt.Sprintf("%d\t%d\t%d", p, seq, i)] = true
}

// exactRows compares every table of ClickHouse with the stopped server's log: each
// row once, none missing, none that is not in the log; and of the view of chains
// the sums by outcome.
func (s *server) exactRows() (found tally) {
	s.t.Helper()
	e := expected{rows: map[string]map[string]bool{}, chains: map[string]string{}}
	log, err := stream.OpenEmbedded(stream.EmbeddedConfig{
		Dir: filepath.Join(s.data, "log"), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	for p := range partitions {
		e.partition(s.t, log, p)
	}
	if err := log.Close(); err != nil {
		s.t.Fatal(err)
	}
	for _, table := range []string{"events", "deliveries", "decisions", "chain_states", "goals", "dead_letters"} {
		n := s.compare(table, e.rows[table])
		found.rows += n
		if n > 0 {
			found.tables++
		}
	}
	want := map[string]int{}
	for _, outcome := range e.chains {
		want[outcome]++
	}
	for outcome, n := range want {
		sql := "SELECT count() FROM nudge.chains WHERE outcome = '" + outcome + "'"
		if text, err := s.query(sql); err != nil || text != strconv.Itoa(n) {
			s.t.Errorf("chains with the outcome %q: %s, error %v; the log has %d", outcome, text, err, n)
		}
	}
	if text, err := s.query("SELECT count() FROM nudge.chains"); err != nil || text != strconv.Itoa(len(e.chains)) {
		s.t.Errorf("chains: %s, error %v; the log has %d", text, err, len(e.chains))
	}
	found.chains = len(e.chains)
	return found
}

func (s *server) compare(table string, want map[string]bool) (rows int) {
	s.t.Helper()
	text, err := s.query("SELECT partition, seq, idx FROM nudge." + table)
	if err != nil {
		s.t.Fatal(err)
	}
	there := map[string]int{}
	for row := range strings.Lines(text) {
		there[strings.TrimSpace(row)]++
		rows++
	}
	lost, twice, strange := 0, 0, 0
	for row := range want {
		if there[row] == 0 {
			lost++
		}
	}
	for row, n := range there {
		if n > 1 {
			twice++
		}
		if !want[row] {
			strange++
		}
	}
	if lost+twice+strange > 0 {
		s.t.Errorf("%s: %d rows missing, %d there more than once, %d not in the log, of %d", table, lost, twice, strange,
			len(want))
	}
	return rows
}

// partition reads what one partition's streams say.
func (e *expected) partition(t *testing.T, log stream.Log, p int) {
	t.Helper()
	dropped := map[string]bool{}
	each(t, log, stream.EffectStream(p), func(raw stream.Message) error {
		m, err := effect.DecodeMessage(raw.Data)
		if err != nil {
			return err
		}
		e.message(p, &m)
		for _, d := range m.Drops {
			dropped[fmt.Sprintf("%d\t%d", m.Seq, d.Index)] = true
		}
		return nil
	})
	each(t, log, stream.EventStream(p), func(raw stream.Message) error {
		f, err := stream.DecodeFrame(raw.Data)
		if err != nil {
			return err
		}
		for i, r := range f.Records {
			if r.Kind == stream.KindEvent && !dropped[fmt.Sprintf("%d\t%d", raw.Seq, i)] {
				e.row("events", p, raw.Seq, i)
			}
		}
		return nil
	})
}

func (e *expected) message(p int, m *effect.Message) {
	for i := range m.Deliveries {
		if d := &m.Deliveries[i]; d.Status != output.HandedOff || d.Attempt <= 1 {
			e.row("deliveries", p, m.N, i)
		}
	}
	for i := range m.Decisions {
		e.row("decisions", p, m.N, i)
	}
	for i := range m.Chains {
		e.row("chain_states", p, m.N, i)
		c := &m.Chains[i]
		e.chains[fmt.Sprintf("%s %s %s %d", c.Workspace, c.Campaign, c.Customer, c.Entry)] = string(c.Outcome)
	}
	for i := range m.Goals {
		e.row("goals", p, m.N, i)
	}
	for i := range m.DeadLetters {
		e.row("dead_letters", p, m.N, i)
	}
}

// each calls use for every message of a stream; nothing of it may have been trimmed.
func each(t *testing.T, log stream.Log, name string, use func(stream.Message) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := log.Open(ctx, name, stream.Options{MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	info, err := s.Info(ctx)
	if err != nil || info.Last == 0 || info.First != 1 {
		t.Fatalf("%s has %d..%d, error %v; it must begin at 1", name, info.First, info.Last, err)
	}
	reader, err := s.Read(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for n := uint64(1); n <= info.Last; n++ {
		m, err := reader.Next(ctx)
		if err == nil {
			err = use(m)
		}
		if err != nil {
			t.Fatalf("%s, message %d: %v", name, n, err)
		}
	}
}
