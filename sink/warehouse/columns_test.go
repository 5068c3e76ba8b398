package warehouse

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/stream"
)

// TestColumns: the columns that rows are written to are those that the migrations make, each is
// filled for each row, and docs/reference/clickhouse.md names it.
func TestColumns(t *testing.T) {
	page, err := os.ReadFile("../../docs/reference/clickhouse.md")
	if err != nil {
		t.Fatal(err)
	}
	made := madeColumns(t)
	tables := oneRowEach(t).tables()
	if len(tables) != 6 {
		t.Errorf("got %d tables with rows; want all 6", len(tables))
	}
	for _, table := range tables {
		written := map[string]bool{}
		for _, c := range table.Columns {
			written[c.Name] = true
			if n := reflect.ValueOf(c.Values).Len(); n != table.Rows {
				t.Errorf("%s.%s has %d values for %d rows", table.Name, c.Name, n, table.Rows)
			}
			if made[table.Name][c.Name] != c.Type {
				t.Errorf("%s.%s is written as %s; the migrations make it %q", table.Name, c.Name, c.Type, made[table.Name][c.Name])
			}
			if !strings.Contains(string(page), "`"+c.Name+"`") {
				t.Errorf("docs/reference/clickhouse.md does not name %s.%s", table.Name, c.Name)
			}
		}
		for name := range made[table.Name] {
			if !written[name] {
				t.Errorf("no row says %s.%s", table.Name, name)
			}
		}
	}
}

// oneRowEach has one row in each table.
func oneRowEach(t *testing.T) *rows {
	t.Helper()
	r := newRows(1, 1)
	e := event.Event{Workspace: "default", Customer: "c", ID: "m", Type: event.Track, Name: "Order", Time: 1}
	frame := &stream.Frame{Time: 1, Records: []stream.Record{{Kind: stream.KindEvent, Data: e.AppendTo(nil)}}}
	if err := r.frame(0, 1, frame, nil); err != nil {
		t.Fatal(err)
	}
	m := effect.Message{N: 1, Effects: effect.Effects{DeadLetters: make([]effect.DeadLetter, 1)}}
	m.Deliveries = []output.Delivery{{Status: output.HandedOff, Attempt: 1}}
	m.Decisions, m.Chains, m.Goals = make([]output.Decision, 1), make([]output.ChainRow, 1), make([]output.GoalRow, 1)
	r.message(0, &m)
	return r
}

// madeColumns are the columns of each table by the migrations, with their types as rows give them.
func madeColumns(t *testing.T) map[string]map[string]string {
	t.Helper()
	files, err := filepath.Glob("schema/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	create := regexp.MustCompile(`(?s)CREATE TABLE \{\{database\}\}\.(\w+)\n\((.*?)\n\)\n`)
	column := regexp.MustCompile(`(?m)^    ([a-z_]+) +([A-Z].*?)(?: CODEC\(.*\))?,?$`)
	alter := regexp.MustCompile(`ALTER TABLE \{\{database\}\}\.(\w+) ADD COLUMN IF NOT EXISTS (\w+) (.+?)(?: AFTER \w+)?;`)
	plain := func(kind string) string { return strings.Replace(kind, "LowCardinality(String)", "String", 1) }
	made := map[string]map[string]string{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range create.FindAllStringSubmatch(string(data), -1) {
			made[table[1]] = map[string]string{}
			for _, c := range column.FindAllStringSubmatch(table[2], -1) {
				made[table[1]][c[1]] = plain(c[2])
			}
		}
		for _, c := range alter.FindAllStringSubmatch(string(data), -1) {
			made[c[1]][c[2]] = plain(c[3])
		}
	}
	return made
}
