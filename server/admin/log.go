package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/internal/wire"
	"github.com/nudge-engine/nudge/stream"
)

// The greatest size (bytes) and time of one answer with frames.
const (
	// logPage is the size; an answer may be one frame longer.
	logPage = 4 << 20
	// logLimit ends an answer whose log hangs; a page takes far less than a second to read.
	logLimit = 20 * time.Second
)

// logExtent says what the log has of a partition.
type logExtent struct {
	First uint64 `json:"first"`
	// Last is below First when there is no frame.
	Last uint64 `json:"last"`
	// FirstTime is the log time of frame First in ms since 1970; 0 without frames.
	FirstTime int64 `json:"first_time"`
	// Skipped are the records that are passed over because they ended the process.
	Skipped []control.RecordPosition `json:"skipped"`
}

// log answers GET /v1/log with {"partitions": [...]}: which frames the log has of each
// partition. nudge simulate reads it first.
func (p *Parts) log(w http.ResponseWriter, r *http.Request) error {
	partitions := []logExtent{}
	for number, s := range p.Events {
		info, err := s.Info(r.Context())
		if err != nil {
			return err
		}
		x := logExtent{First: max(info.First, 1), Last: info.Last, Skipped: []control.RecordPosition{}}
		for place := range p.Control.Skips(number) {
			x.Skipped = append(x.Skipped, place)
		}
		// The clock of the first frame says from when on the log knows.
		if x.Last >= x.First {
			m, err := s.Get(r.Context(), x.First)
			if err != nil {
				return err
			}
			f, err := stream.DecodeFrame(m.Data)
			if err != nil {
				return err
			}
			x.FirstTime = f.Time
		}
		partitions = append(partitions, x)
	}
	writeJSON(w, http.StatusOK, map[string]any{"partitions": partitions})
	return nil
}

// frames answers GET /v1/log/{partition}?from=N&through=M with frames of a partition, each as
// its length as a varint and its bytes. It ends after logPage bytes; the client asks again
// from where it ended. Frames that were trimmed or are not there yet are an answer 410.
func (p *Parts) frames(w http.ResponseWriter, r *http.Request) error {
	n, err := strconv.Atoi(r.PathValue("partition"))
	if err != nil || n < 0 || n >= len(p.Events) {
		return answer{http.StatusNotFound, fmt.Errorf("there are the partitions 0 to %d", len(p.Events)-1)}
	}
	from, errFrom := strconv.ParseUint(r.URL.Query().Get("from"), 10, 64)
	through, errThrough := strconv.ParseUint(r.URL.Query().Get("through"), 10, 64)
	if errors.Join(errFrom, errThrough) != nil || from == 0 || from > through {
		return answer{http.StatusBadRequest, errors.New("from and through are sequences of frames, from 1 on")}
	}
	ctx, cancel := context.WithTimeout(r.Context(), logLimit)
	defer cancel()
	info, err := p.Events[n].Info(ctx)
	if err != nil {
		return err
	}
	// 410 and not 404: the client has a frame in mind that is gone, or that it should not know
	// of yet.
	if from < info.First || through > info.Last {
		return answer{http.StatusGone, fmt.Errorf("partition %d has the frames %d to %d", n, info.First, info.Last)}
	}
	// The reader goes on from frame to frame without asking for each.
	reader, err := p.Events[n].Read(ctx, from)
	if err != nil {
		return err
	}
	defer reader.Close()
	var body []byte
	for seq := from; seq <= through && len(body) < logPage; seq++ {
		m, err := reader.Next(ctx)
		if err != nil {
			return err
		}
		// Frames were trimmed while this answer read them.
		if m.Seq != seq {
			return answer{http.StatusGone, fmt.Errorf("partition %d has frame %d after %d", n, m.Seq, seq-1)}
		}
		body = wire.AppendBytes(body, m.Data)
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	// It fails only when the client is gone.
	_, _ = w.Write(body)
	return nil
}
