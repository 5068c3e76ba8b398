package message

import (
	"sync"

	"github.com/nudge-engine/nudge/message/liquid"
)

// maxParsed is the number of parsed templates that are kept. The bound is for those that
// were replaced and are never rendered again.
const maxParsed = 1024

// parsed is a cache of parsed templates, by their text. It is safe for concurrent use. A
// template that two goroutines parse at once is stored twice, which does no harm: the
// result is the same.
type parsed struct {
	mu    sync.RWMutex
	known map[string]*liquid.Template // by their text
}

// of returns the parsed template of a text. A text that does not parse is not kept. When
// the cache is full, all templates are dropped: those in use come back with their next
// message, and no order of use has to be maintained.
func (p *parsed) of(source string) (*liquid.Template, error) {
	p.mu.RLock()
	t := p.known[source]
	p.mu.RUnlock()
	if t != nil {
		return t, nil
	}
	t, err := liquid.Parse(source)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil || len(p.known) >= maxParsed {
		p.known = map[string]*liquid.Template{}
	}
	p.known[source] = t
	return t, nil
}
