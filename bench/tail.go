package bench

import (
	"bytes"
	"strings"
	"sync"
)

// tailBytes is how much of a program's log is kept.
const tailBytes = 8 << 10

// tail keeps the end of what is written to it. It is safe for concurrent use.
type tail struct {
	mu   sync.Mutex
	last []byte
	bad  int // warnings and errors
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bad += bytes.Count(p, []byte("level=WARN")) + bytes.Count(p, []byte("level=ERROR"))
	t.last = append(t.last, p...)
	if over := len(t.last) - tailBytes; over > 0 {
		t.last = append(t.last[:0], t.last[over:]...)
	}
	return len(p), nil
}

// String is the last whole lines.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := string(t.last)
	if len(text) == tailBytes {
		_, text, _ = strings.Cut(text, "\n")
	}
	if text == "" {
		return "(it said nothing)"
	}
	return text
}

// Complaints is how many warnings and errors were written.
func (t *tail) Complaints() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.bad
}
