package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/nudge-engine/nudge/internal/wire"
	"github.com/nudge-engine/nudge/stream"
)

// serverLog is the log of a running server, read through its admin address.
type serverLog struct {
	admin adminAddress
	what  []extent
}

func openServerLog(admin adminAddress) (*serverLog, error) {
	text, err := admin.call(http.MethodGet, "/v1/log", nil)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Partitions []extent `json:"partitions"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, fmt.Errorf("the answer cannot be read: %w", err)
	}
	return &serverLog{admin: admin, what: answer.Partitions}, nil
}

func (s *serverLog) extents() []extent { return s.what }

func (s *serverLog) frames(partition int, from uint64) ([]stream.Frame, error) {
	path := fmt.Sprintf("/v1/log/%d?from=%d&through=%d", partition, from, s.what[partition].Last)
	body, err := s.admin.call(http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	var frames []stream.Frame
	for d := wire.NewDecoder(body); d.Len() > 0; {
		data := d.Bytes()
		if err := d.Err(); err != nil {
			return nil, fmt.Errorf("the frames of partition %d from %d on cannot be read: %w", partition, from, err)
		}
		f, err := stream.DecodeFrame(data)
		if err != nil {
			return nil, fmt.Errorf("partition %d: %w", partition, err)
		}
		frames = append(frames, f)
	}
	if len(frames) == 0 {
		return nil, errors.New("the server gives no more of its log")
	}
	return frames, nil
}
