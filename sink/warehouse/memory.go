package warehouse

import (
	"context"
	"errors"
	"sync"
)

// ErrUnavailable is what Memory returns while it is told to fail.
var ErrUnavailable = errors.New("warehouse: unavailable")

// Memory is a warehouse in memory, for tests and simulation, with the failures of a real
// one.
type Memory struct {
	mu     sync.Mutex
	Tables map[string][]*Table          // by name, in the order inserted; read it while no writer runs
	tokens map[string]bool              // table and token of every insert
	blocks map[string]map[uint64]uint64 // rows by table and block

	// Fail refuses a call. Lie applies an insert and reports a failure all the same. Lose
	// drops the rows of an insert whose token it keeps, and reports a failure, as an
	// engine does that is killed between the two. nil means never.
	Fail, Lie, Lose func() bool
}

// NewMemory returns an empty warehouse.
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
		// As the engine does, before the rows.
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

// count adds the rows of an insert to the counts by block.
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

// Rows returns how many rows a table has.
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
