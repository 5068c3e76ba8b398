package bench

import (
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"
)

// progressEvery is how often the progress is shown.
const progressEvery = time.Second

// Progress tells a person what is going on, once a second at most. A nil Progress
// tells nothing. It is safe for concurrent use.
type Progress struct {
	out   io.Writer
	mu    sync.Mutex
	stage string
	began time.Time
	next  time.Time
}

// NewProgress writes to out.
func NewProgress(out io.Writer) *Progress { return &Progress{out: out} }

// Stage begins the next part of the run.
func (p *Progress) Stage(format string, args ...any) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stage, p.began = fmt.Sprintf(format, args...), time.Now()
	p.next = p.began.Add(progressEvery)
	fmt.Fprintln(p.out, p.stage)
}

// Note says how far the stage is, when it is time to.
func (p *Progress) Note(format string, args ...any) {
	if p == nil {
		return
	}
	now := time.Now()
	if !p.mu.TryLock() {
		return
	}
	defer p.mu.Unlock()
	if now.Before(p.next) {
		return
	}
	p.next = now.Add(progressEvery)
	fmt.Fprintf(p.out, "  %3.0f s  %s\n", now.Sub(p.began).Seconds(), fmt.Sprintf(format, args...))
}

// thousands writes a number as people read it.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
