package warehouse

import (
	"context"
	"errors"
	"sync"
)

// ErrUnavailable is what Memory answers while it is told to fail.
var ErrUnavailable = errors.New("warehouse: unavailable")

// Memory is a warehouse in memory for tests. Fail makes it refuse, and Lie makes
// it apply an insert and report a failure all the same.
type Memory struct {
	mu     sync.Mutex
	Tables map[string][]*Table // by name, in the order inserted
	tokens map[string]bool
	blocks map[string]map[uint64]uint64 // rows by table and block

	// Lose makes it forget the rows of an insert, whose token it keeps, and report a failure,
	// as an engine that is killed between the two.
	Fail, Lie, Lose func() bool // nil: never
}

// NewMemory is an empty warehouse.
func NewMemory() *Memory {
	return &Memory{Tables: map[string][]*Table{}, tokens: map[string]bool{}, blocks: map[string]map[uint64]uint64{}}
}

// Migrate implements Warehouse.
func (m *Memory) Migrate(context.Context) error { return nil }

// Insert implements Warehouse.
func (m *Memory) Insert(_ context.Context, token string, t *Table) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.Fail != nil && m.Fail() {
		return ErrUnavailable
	}
	if key := t.Name + "/" + token; !m.tokens[key] {
		m.tokens[key] = true
		if m.Lose != nil && m.Lose() {
			return ErrUnavailable
		}
		m.Tables[t.Name] = append(m.Tables[t.Name], t)
		m.count(t)
	}
	if m.Lie != nil && m.Lie() {
		return ErrUnavailable
	}
	return nil
}

// Has implements Warehouse.
func (m *Memory) Has(_ context.Context, table string, block uint64) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.Fail != nil && m.Fail() {
		return 0, ErrUnavailable
	}
	return m.blocks[table][block], nil
}

// count counts the rows of an insert by their blocks.
func (m *Memory) count(t *Table) {
	if m.blocks[t.Name] == nil {
		m.blocks[t.Name] = map[uint64]uint64{}
	}
	for _, c := range t.Columns {
		if blocks, ok := c.Values.([]uint64); ok && c.Name == "block" {
			for _, b := range blocks {
				m.blocks[t.Name][b]++
			}
		}
	}
}

// Rows counts the rows of a table.
func (m *Memory) Rows(table string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, t := range m.Tables[table] {
		n += t.Rows
	}
	return n
}

// Close implements Warehouse.
func (m *Memory) Close() error { return nil }
