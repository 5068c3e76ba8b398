package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/nudge-engine/nudge/internal/pathid"
)

// erasePoll is how often the receipt is asked for. An erasure waits for a snapshot and for
// rows, which takes seconds.
const erasePoll = 200 * time.Millisecond

// eraseCommand is `nudge erase`: it erases a customer everywhere and waits for the receipt.
type eraseCommand struct {
	adminAddress `embed:""`
	ID           string `arg:"" help:"Customer id; anonymous ones begin with anon:."`
	// Wait bounds waiting here; the server carries the erasure out in any case.
	Wait time.Duration `default:"1m" help:"How long to wait for the receipt; 0: not at all."`
}

func (c *eraseCommand) Help() string {
	return `Erases a customer: the state, what waits to be sent, the rows in ClickHouse, and
everything of the anonymous customers who became this one. A keyed hash stays, so that
later events of the customer are dropped. It cannot be undone. The receipt says when
each store forgot, and until when the log keeps the old events. Asking again gives the
receipt of the first time.

An id that the server does not know is erased too, with a warning: rows with it may be
left of a customer who was forgotten, and events may come later.

Example:
  nudge erase ann`
}

// Run asks for the erasure and waits for its receipt, which it prints as JSON. When --wait is
// over it prints the receipt as it is then, and fails, so that a script does not take it for
// done.
func (c *eraseCommand) Run(out console) error {
	path := "/v1/customers/" + pathid.Escape(c.ID)
	text, err := c.call(http.MethodDelete, path, nil)
	if err != nil {
		return err
	}
	// The first receipt is the answer to the request; later ones are asked for.
	for end := time.Now().Add(c.Wait); ; <-time.After(erasePoll) {
		var receipt struct {
			Done    bool   `json:"done"`
			Unknown bool   `json:"unknown"`
			Failure string `json:"failure"`
		}
		if err := json.Unmarshal(text, &receipt); err != nil {
			return fmt.Errorf("the receipt cannot be read: %w", err)
		}
		if receipt.Done || time.Now().After(end) {
			// Most often the id is misspelt, and somebody else was to be erased.
			if receipt.Unknown {
				fmt.Fprintf(out.err, "nudge: no customer %q was known at the request: look whether the id is right, "+
					"upper and lower case count. The erasure is carried out all the same: rows with this id are "+
					"deleted, and later events of it are dropped.\n", c.ID)
			}
			if _, err := out.out.Write(text); err != nil || receipt.Done || c.Wait == 0 {
				return err
			}
			return fmt.Errorf("not done after %v; the server goes on, ask again", c.Wait)
		}
		if text, err = c.call(http.MethodGet, path+"/erasure", nil); err != nil {
			return err
		}
	}
}
