package plan

// Progress tracks the position up to which all batches of a queue are finished, although
// they end in any order. Its methods must not be called concurrently.
type Progress struct {
	done map[uint64]bool // finished, behind upTo
	upTo uint64
}

// NewProgress starts behind upTo, the last position that is known to be finished, 0 when none is.
func NewProgress(upTo uint64) *Progress { return &Progress{done: map[uint64]bool{}, upTo: upTo} }

// Complete notes that the batch at a position is finished.
func (p *Progress) Complete(position uint64) {
	if position <= p.upTo {
		return
	}
	p.done[position] = true
	for p.done[p.upTo+1] {
		p.upTo++
		delete(p.done, p.upTo)
	}
}

// SkipTo notes that all up to a position is finished: the queue has it no more.
func (p *Progress) SkipTo(position uint64) {
	for p.upTo < position {
		p.upTo++
		delete(p.done, p.upTo)
	}
	for p.done[p.upTo+1] {
		p.upTo++
		delete(p.done, p.upTo)
	}
}

// UpTo is the position up to which all is finished.
func (p *Progress) UpTo() uint64 { return p.upTo }
