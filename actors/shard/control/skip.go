package control

// Skip is the control record that makes a shard pass over a record: one that ended the
// process three times, or a frame that the disk damaged. Unlike other control records it
// is not applied in its place: a shard is given all skips before it reads the log, so
// that every replay passes over the record.
type Skip struct {
	Partition int    `json:"partition"`
	Seq       uint64 `json:"seq"`   // sequence of the frame in the partition's event stream
	Index     int    `json:"index"` // of the record in the frame, from 0
	Why       string `json:"why"`   // for people; the dead letter carries it
	// Rebased is the last frame whose effects were computed while the record was still
	// there. Up to it a replay gives other effects than those in the stream. 0: there are
	// none.
	Rebased uint64 `json:"rebased,omitempty"`
}

// RecordPosition identifies a record of a partition: the sequence of its frame and its
// index in the frame, from 0.
type RecordPosition struct {
	Seq   uint64 `json:"seq"`
	Index int    `json:"index"`
}

// Skips are the records of one partition that are passed over, with the reason of each.
type Skips map[RecordPosition]string

// SkipsOf returns the skips of a partition among control records.
func SkipsOf(records []Record, partition int) Skips {
	found := Skips{}
	for i := range records {
		if s := records[i].Skip; s != nil && s.Partition == partition {
			found[RecordPosition{s.Seq, s.Index}] = s.Why
		}
	}
	return found
}
