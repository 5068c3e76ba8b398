package main

import (
	"context"
	"fmt"
	"io"

	"github.com/nudge-engine/nudge/campaign"
)

// callSource gives calls in the order of their times; io.EOF after the last.
type callSource interface{ next() (pastCall, error) }

// fileCalls are the calls of a file: they came when they happened.
type fileCalls struct{ left []campaign.Event }

func (f *fileCalls) next() (pastCall, error) {
	if len(f.left) == 0 {
		return pastCall{}, io.EOF
	}
	e := f.left[0]
	f.left = f.left[1:]
	return pastCall{e, e.Time}, nil
}

// openLog opens the log that the calls come from, and says how far it reaches; nil where
// they come from a file.
func (s *simulateCommand) openLog(out console) (past pastLog, closeLog func() error, err error) {
	closeLog = func() error { return nil }
	if !s.FromLog {
		return nil, closeLog, nil
	}
	if s.Data != "" {
		d, err := openDataLog(context.Background(), out, s.Data)
		if err != nil {
			return nil, nil, err
		}
		past, closeLog = d, d.close
	} else if past, err = openServerLog(s.adminAddress); err != nil {
		return nil, nil, err
	}
	text, frames, err := reach(past.extents())
	if err != nil {
		_ = closeLog()
		return nil, nil, err
	}
	fmt.Fprintf(out.out, "%d frames; %s\n", frames, text)
	return past, closeLog, nil
}

// calls are the calls to be played, from the log or the file; total is how many there
// are, -1 where nobody knows before.
func (s *simulateCommand) calls(past pastLog, docs []campaign.Parsed) (calls callSource, total int, err error) {
	if past != nil {
		since, err := instantOf("--since", s.Since)
		if err != nil {
			return nil, 0, err
		}
		h, err := newHistory(past, since)
		return h, -1, err
	}
	events, err := readCalls(s.Events, s.Sort, docs)
	return &fileCalls{events}, len(events), err
}
