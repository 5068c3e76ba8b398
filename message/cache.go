package message

import (
	"sync"

	"github.com/nudge-engine/nudge/message/liquid"
)

// maxParsed bounds how many parsed templates are kept.
const maxParsed = 1024

// parsed keeps templates that were parsed. Safe for concurrent use.
type parsed struct {
	mu    sync.RWMutex
	known map[string]*liquid.Template // by their text
}

// of parses a template, or finds it. When too many are kept all are forgotten: those
// in use come back with their next message.
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
