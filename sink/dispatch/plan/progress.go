package plan

import "maps"

// Progress tracks the position up to which all batches of a queue are finished, although
// they end in any order. It is not safe for concurrent use.
type Progress struct {
	done map[uint64]bool // finished positions after upTo
	upTo uint64
}

// NewProgress returns a Progress that starts after upTo, the last position known to be
// finished, 0 if none is.
func NewProgress(upTo uint64) *Progress { return &Progress{done: map[uint64]bool{}, upTo: upTo} }

// Complete notes that the batch at a position is finished. Positions that are covered
// already are ignored.
func (p *Progress) Complete(position uint64) {
	if position <= p.upTo {
		return
	}
	p.done[position] = true
	p.advance()
}

// SkipTo notes that everything up to a position is finished, because the queue does not
// have it any more.
func (p *Progress) SkipTo(position uint64) {
	if position <= p.upTo {
		return
	}
	p.upTo = position // at once: a stream that was trimmed for long begins far away
	maps.DeleteFunc(p.done, func(at uint64, _ bool) bool { return at <= position })
	p.advance()
}

// advance moves the position over what is finished next to it.
func (p *Progress) advance() {
	for p.done[p.upTo+1] {
		p.upTo++
		delete(p.done, p.upTo)
	}
}

// UpTo returns the position up to which all is finished.
func (p *Progress) UpTo() uint64 { return p.upTo }
