package history_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/ops/history"
	"github.com/nudge-engine/nudge/stream"
)

// memoryLog is a log of frames in memory.
type memoryLog [][]stream.Frame

func (m memoryLog) Extents() []history.Extent {
	var all []history.Extent
	for _, frames := range m {
		all = append(all, history.Extent{First: 1, Last: uint64(len(frames)), Skipped: []history.Skip{{Seq: 2, Index: 0}}})
	}
	return all
}

func (m memoryLog) Frames(partition int, from uint64) ([]stream.Frame, error) {
	return m[partition][from-1 : from], nil
}

// Calls come in the order of log time, which never goes back in a partition; a broadcast
// comes once, and what the server passed over does not come.
func TestOrder(t *testing.T) {
	event := func(customer, id string, at int64) stream.Record {
		e := event.Event{Workspace: "default", Customer: customer, ID: id, Type: event.Track, Name: "E", Time: at}
		if customer == "" {
			return stream.Record{Kind: stream.KindBroadcast, Data: e.AppendTo(nil)}
		}
		return stream.Record{Kind: stream.KindEvent, Data: e.AppendTo(nil)}
	}
	frame := func(at int64, records ...stream.Record) stream.Frame { return stream.Frame{Time: at, Records: records} }
	log := memoryLog{
		{frame(10, event("a", "1", 9), event("", "all", 10)), frame(30, event("a", "skipped", 30), event("a", "2", 99))},
		{},
		{frame(20, event("c", "3", 20)), frame(15), frame(5, event("c", "4", 5), event("", "all", 5))},
		{frame(20, event("d", "5", 20)), frame(40, stream.Record{Kind: stream.KindTick}), frame(50, event("d", "6", 1))},
	}
	for since, want := range map[int64]string{
		0:  "1@10/9 all@10/10 3@20/20 4@20/5 5@20/20 2@30/30 6@50/1",
		21: "2@30/30 6@50/1",
	} {
		h, err := history.New(log, since)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for {
			call, err := h.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%s@%d/%d", call.Event.ID, call.At, call.Event.Time))
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("since %d: calls %s; want %s", since, text, want)
		}
	}
}
