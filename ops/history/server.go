package history

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nudge-engine/nudge/internal/wire"
	"github.com/nudge-engine/nudge/stream"
)

// ServerLog is the log of a running server, read through its admin address. The server may
// trim what was not read yet; then Frames fails. It belongs to one goroutine.
type ServerLog struct {
	get  func(path string) ([]byte, error)
	what []Extent
}

// OpenServer asks a server what its log has. get asks its admin address for a path and returns
// the answer's body. What the server writes or passes over later is not seen.
func OpenServer(get func(path string) ([]byte, error)) (*ServerLog, error) {
	text, err := get("/v1/log")
	if err != nil {
		return nil, err
	}
	var answer struct {
		Partitions []Extent `json:"partitions"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, fmt.Errorf("the answer cannot be read: %w", err)
	}
	return &ServerLog{get: get, what: answer.Partitions}, nil
}

// Extents implements [Log].
func (s *ServerLog) Extents() []Extent { return s.what }

// Frames implements [Log], with as many frames as the server puts into one answer.
func (s *ServerLog) Frames(partition int, from uint64) ([]stream.Frame, error) {
	path := fmt.Sprintf("/v1/log/%d?from=%d&through=%d", partition, from, s.what[partition].Last)
	body, err := s.get(path)
	if err != nil {
		return nil, err
	}
	var frames []stream.Frame
	// The answer is a sequence of frames, each as its length as a varint and its bytes.
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
	// A server always sends one frame at least; without this a reader would ask without end.
	if len(frames) == 0 {
		return nil, errors.New("the server gives no more of its log")
	}
	return frames, nil
}
