package warehouse

import (
	"context"
	"fmt"
	"log/slog"
)

// maxTokens bounds the tokens with which a table of a block is sent. Each one after the
// first needs another crash of the engine at the same moment, so more are never needed.
const maxTokens = 8

// send inserts one table of a block.
//
// If the block may be there already (resent), it looks for the rows first, and again
// afterwards: the engine notes the token of an insert before its rows are there. An
// engine that is killed in between takes each further insert with that token for done,
// although it has no row. In that case the next token is tried.
func (w *Writer) send(ctx context.Context, block uint64, t *Table) error {
	limited, cancel := context.WithTimeout(ctx, insertLimit)
	defer cancel()
	// Usually nothing was sent before, and a question for each table of each block would
	// be wasted.
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

// tokenAgain returns the token of an attempt: the block's own for the first, else with
// the attempt's number.
func tokenAgain(token string, again int) string {
	if again == 0 {
		return token
	}
	return fmt.Sprintf("%s-%d", token, again)
}

// alreadyInserted reports whether the warehouse has the rows of a block. Some but not all
// are an error: an insert is atomic, so somebody has changed the table.
func (w *Writer) alreadyInserted(ctx context.Context, block uint64, t *Table) (bool, error) {
	n, err := w.config.Warehouse.Has(ctx, t.Name, block)
	if err != nil || n == 0 {
		return false, err
	}
	// More rows: the block was there before a part of its range had to be left out.
	if n >= uint64(t.Rows) {
		return true, nil
	}
	return false, fmt.Errorf("warehouse: block %d has %d of %d rows in %s; look into the table", block, n, t.Rows,
		t.Name)
}
