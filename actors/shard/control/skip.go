package control

// Skip is the control record that has a record passed over (R16): one that ended the
// process three times, or a frame that the disk damaged. It stands in the control log
// and is known before the fold comes to what it names, at each replay.
type Skip struct {
	Partition int    `json:"partition"`
	Seq       uint64 `json:"seq"`   // frame of the partition's event stream
	Index     int    `json:"index"` // record in it
	Why       string `json:"why"`
	// Rebased is the last frame whose effects were computed with the record, before it
	// was lost: up to it a replay gives other effects. 0: there are none.
	Rebased uint64 `json:"rebased,omitempty"`
}

// RecordPosition names a record of a partition.
type RecordPosition struct {
	Seq   uint64 `json:"seq"`
	Index int    `json:"index"`
}

// Skips are the records of one partition that are passed over, and why.
type Skips map[RecordPosition]string

// SkipsOf gathers a partition's skips from all control records.
func SkipsOf(records []Record, partition int) Skips {
	found := Skips{}
	for i := range records {
		if s := records[i].Skip; s != nil && s.Partition == partition {
			found[RecordPosition{s.Seq, s.Index}] = s.Why
		}
	}
	return found
}
