package warehouse

import (
	"context"
	"fmt"
	"log/slog"
)

// maxTokens bounds the tokens that a table of a block is sent with.
const maxTokens = 8

// send inserts one table of a block. A block that may be there already is looked for
// first, and afterwards: the engine notes the token of an insert before its rows are
// there, and when it is killed in between it takes each further insert with that token for
// done. Then another token is tried.
func (w *Writer) send(ctx context.Context, block uint64, t *Table) error {
	limited, cancel := context.WithTimeout(ctx, insertLimit)
	defer cancel()
	if w.resent {
		if inserted, err := w.alreadyInserted(limited, block, t); inserted || err != nil {
			return err
		}
	}
	token := fmt.Sprintf("%s-%d-%016x", w.config.LogID, block, w.spansHash())
	for again := range maxTokens {
		if again > 0 {
			w.config.Logger.Warn("warehouse: the engine knows the insert and has no row of it; sent with another token",
				slog.String("table", t.Name), slog.Uint64("block", block), slog.Int("token", again))
		}
		if err := w.config.Warehouse.Insert(limited, tokenAgain(token, again), t); err != nil {
			return err
		}
		inserted := true
		if w.resent {
			var err error
			if inserted, err = w.alreadyInserted(limited, block, t); err != nil {
				return err
			}
		}
		if inserted {
			w.rows.Add(uint64(t.Rows))
			return nil
		}
	}
	return fmt.Errorf("warehouse: block %d: %d inserts into %s were taken and none has a row", block, maxTokens, t.Name)
}

func tokenAgain(token string, again int) string {
	if again == 0 {
		return token
	}
	return fmt.Sprintf("%s-%d", token, again)
}

// alreadyInserted says whether the warehouse has the rows of a block; some of them are an error.
func (w *Writer) alreadyInserted(ctx context.Context, block uint64, t *Table) (bool, error) {
	n, err := w.config.Warehouse.Has(ctx, t.Name, block)
	if err != nil || n == 0 {
		return false, err
	}
	if n >= uint64(t.Rows) { // more: it was there before a part of it had to be left out
		return true, nil
	}
	return false, fmt.Errorf("warehouse: block %d has %d of %d rows in %s; look into the table", block, n, t.Rows,
		t.Name)
}
