package warehouse

import (
	"context"
	"fmt"
	"reflect"
	"slices"
)

// customerTables are the tables whose rows are about a customer.
//
//nudge:constant read only
var customerTables = []string{"events", "deliveries", "decisions", "chain_states", "goals", "dead_letters"}

// Erase implements Warehouse with a lightweight delete in each table, which hides rows at
// once and removes them with the next merge.
func (c *ClickHouse) Erase(ctx context.Context, workspace string, customers []string) error {
	for _, table := range customerTables {
		query := fmt.Sprintf("DELETE FROM %s.%s WHERE workspace = ? AND customer IN (?)", Database, table)
		if err := c.conn.Exec(ctx, query, workspace, customers); err != nil {
			return fmt.Errorf("warehouse: erase from %s: %w", table, err)
		}
	}
	return nil
}

// Erase implements Warehouse.
func (m *Memory) Erase(_ context.Context, workspace string, customers []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.Fail != nil && m.Fail() {
		return ErrUnavailable
	}
	for _, name := range customerTables {
		// The counts are made anew from what stays.
		delete(m.blocks, name)
		for i, t := range m.Tables[name] {
			m.Tables[name][i] = t.without(workspace, customers)
			m.count(m.Tables[name][i])
		}
	}
	return nil
}

// without returns the table without the rows about customers of a workspace.
func (t *Table) without(workspace string, customers []string) *Table {
	texts := map[string][]string{}
	for _, c := range t.Columns {
		if values, ok := c.Values.([]string); ok {
			texts[c.Name] = values
		}
	}
	kept := &Table{Name: t.Name, Columns: slices.Clone(t.Columns)}
	var rows []int
	for row := range t.Rows {
		if texts["workspace"][row] != workspace || !slices.Contains(customers, texts["customer"][row]) {
			rows = append(rows, row)
		}
	}
	kept.Rows = len(rows)
	for i := range kept.Columns {
		from := reflect.ValueOf(t.Columns[i].Values)
		to := reflect.MakeSlice(from.Type(), 0, len(rows))
		for _, row := range rows {
			to = reflect.Append(to, from.Index(row))
		}
		kept.Columns[i].Values = to.Interface()
	}
	return kept
}
