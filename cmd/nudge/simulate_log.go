package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/ops/datadir"
	"github.com/nudge-engine/nudge/ops/history"
)

// openLog opens the log that the calls come from, of a server or a data directory, and prints
// how far it reaches. past is nil where calls come from a file; closeLog may be called in any
// case without an error.
func (s *simulateCommand) openLog(out console) (past history.Log, closeLog func() error, err error) {
	closeLog = func() error { return nil }
	if !s.FromLog {
		return nil, closeLog, nil
	}
	if s.Data != "" {
		d, err := history.OpenDir(context.Background(), s.Data, errorsOnly(out))
		// The server that has the directory can give its log itself.
		if errors.Is(err, datadir.ErrInUse) {
			err = fmt.Errorf("%s is in use: take the log from the server (leave --data out), or stop it", s.Data)
		}
		if err != nil {
			return nil, nil, err
		}
		past, closeLog = d, d.Close
	} else if past, err = history.OpenServer(func(path string) ([]byte, error) {
		return s.call(http.MethodGet, path, nil)
	}); err != nil {
		return nil, nil, err
	}
	text, frames, err := history.Reach(past.Extents())
	if err != nil {
		_ = closeLog()
		return nil, nil, err
	}
	fmt.Fprintf(out.out, "%d frames; %s\n", frames, text)
	return past, closeLog, nil
}

// calls returns the calls to be played, from the log or the file. total is how many there are;
// -1 for a log, of which only the number of frames is known before.
func (s *simulateCommand) calls(past history.Log, docs []parse.Parsed) (calls history.Source, total int, err error) {
	// How many calls the frames of a log have is known only when they are read.
	if past != nil {
		since, err := instantOf("--since", s.Since)
		if err != nil {
			return nil, 0, err
		}
		h, err := history.New(past, since)
		return h, -1, err
	}
	f, err := history.File(s.Events, s.Sort, docs)
	if err != nil {
		return nil, 0, err
	}
	return f, f.Len(), nil
}
