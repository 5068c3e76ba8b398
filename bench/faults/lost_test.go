package faults_test

import (
	"errors"
	"testing"
)

// A query that failed says nothing of what has come: it is no progress.
func TestLostIn(t *testing.T) {
	rows, sends := &missingError{what: "rows", lost: 5, all: 9}, &missingError{what: "sends", lost: 2, all: 3}
	for _, c := range []struct {
		rows, sends error
		lost        int
		counted     bool
	}{
		{rows, sends, 7, true},
		{nil, sends, 2, true},
		{rows, nil, 5, true},
		{errors.New("no answer"), sends, 0, false},
	} {
		if lost, counted := lostIn(c.rows, c.sends); lost != c.lost || counted != c.counted {
			t.Errorf("%v and %v: %d, %v; want %d, %v", c.rows, c.sends, lost, counted, c.lost, c.counted)
		}
	}
}
