package warehouse

import "context"

// Warehouse is the seam to ClickHouse. Implementations are safe for concurrent use.
type Warehouse interface {
	// Migrate brings the tables to the version that this program writes.
	Migrate(ctx context.Context) error
	// Insert adds rows. The same token with the same rows adds them once, as long
	// as the warehouse remembers the token.
	Insert(ctx context.Context, token string, t *Table) error
	// Has says how many rows of a block a table holds.
	Has(ctx context.Context, table string, block uint64) (rows uint64, err error)
	// Erase deletes all rows of customers, once or more often.
	Erase(ctx context.Context, workspace string, customers []string) error
	// Close releases the connection.
	Close() error
}
