package warehouse

import "context"

// Warehouse is ClickHouse as the writer sees it. Implementations are safe for concurrent
// use.
type Warehouse interface {
	// Migrate brings the tables to the version that this program writes. It may be called
	// again after a failure.
	Migrate(ctx context.Context) error
	// Insert adds the rows of a table of one block. The same token with the same rows
	// adds them once, as long as the warehouse remembers the token. After an error they
	// may be there.
	Insert(ctx context.Context, token string, t *Table) error
	// Has returns how many rows of a block a table has.
	Has(ctx context.Context, table string, block uint64) (rows uint64, err error)
	// Erase deletes all rows about customers; it may be repeated. Rows that are inserted
	// at the same time may stay.
	Erase(ctx context.Context, workspace string, customers []string) error
	// Close releases the connection.
	Close() error
}
