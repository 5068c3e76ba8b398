package history

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"sort"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/ingest"
	"github.com/nudge-engine/nudge/internal/simulate"
)

// MaxLine bounds a line of recorded calls, in bytes; a call itself may have 32 KiB.
const MaxLine = 1 << 20

// File reads all calls of a file, one JSON object a line, into memory. docs say which events
// are hooks of campaigns. Unless sorted is true, a call that is older than the one before it
// is an error: most often the file is not in the order that its owner believes. Errors have
// file and line.
func File(path string, sorted bool, docs []parse.Parsed) (*FileCalls, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var calls []event.Event
	reader := ingest.NewRecorded(simulate.Workspace)
	var programs []*program.Program
	for i := range docs {
		if docs[i].Campaign != nil {
			programs = append(programs, docs[i].Campaign)
		}
	}
	// Without this a call of a webhook, or one without a customer, would be refused.
	reader.Knows(programs)
	scanner := bufio.NewScanner(f)
	scanner.Buffer(make([]byte, 64<<10), MaxLine)
	for n := 1; scanner.Scan(); n++ {
		// Some tools begin a file with a byte order mark.
		text := bytes.TrimSpace(bytes.TrimPrefix(scanner.Bytes(), []byte("\ufeff")))
		if len(text) == 0 {
			continue
		}
		events, err := reader.Read(text, fmt.Sprintf("line-%d", n))
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		if k := len(calls); !sorted && k > 0 && events[0].Time < calls[k-1].Time {
			return nil, fmt.Errorf(
				"%s:%d: the call is older than the one before it; put the file in time order, or use --sort",
				path,
				n,
			)
		}
		// The reader and the scanner use their buffers again.
		for _, e := range events {
			e.Properties, e.Traits, e.Context = bytes.Clone(e.Properties), bytes.Clone(e.Traits), bytes.Clone(e.Context)
			calls = append(calls, e)
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	// An identify call can give two events with one time; stable sorting keeps their order.
	sort.SliceStable(calls, func(i, j int) bool { return calls[i].Time < calls[j].Time })
	return &FileCalls{calls}, nil
}

// FileCalls gives the calls of a file, each at the time at which it happened: when it came is
// not known.
type FileCalls struct{ left []event.Event }

// Len returns how many calls are left.
func (f *FileCalls) Len() int { return len(f.left) }

// Next implements [Source].
func (f *FileCalls) Next() (Call, error) {
	if len(f.left) == 0 {
		return Call{}, io.EOF
	}
	e := f.left[0]
	f.left = f.left[1:]
	return Call{e, e.Time}, nil
}
