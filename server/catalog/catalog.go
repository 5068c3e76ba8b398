// Package catalog has the definitions in force, compiled once for all who ask: the shards, the
// channels, the HTTP addresses and what puts new definitions in force.
package catalog

import (
	"fmt"
	"io"
	"sync"

	"github.com/nudge-engine/nudge/actors"
	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/definition"
	"github.com/nudge-engine/nudge/sink/dispatch"
	"github.com/nudge-engine/nudge/sink/dispatch/egress"
)

// Config is what a [Catalog] is made of. All fields are required.
type Config struct {
	Language  *expr.Language
	Control   *actors.Controller // has the definitions
	Egress    *egress.Policy     // what channels may reach
	Console   io.Writer          // where channels of the type console write
	Workspace string             // whose channels and definitions are meant where no workspace is given
}

// Catalog answers what the definitions in force mean. It is safe for concurrent use.
type Catalog struct {
	config Config

	awaited broadcastNames

	mu       sync.Mutex
	compiled map[documentKey]program.Definition
	channels map[string]dispatch.Channel
}

type documentKey struct {
	workspace, kind, name string
	version               uint32
}

// maxCompiled bounds the compiled documents that are kept.
const maxCompiled = 20_000

// New makes a catalog. The channel console is always in it.
func New(config Config) *Catalog {
	return &Catalog{
		config: config, compiled: map[documentKey]program.Definition{},
		channels: map[string]dispatch.Channel{definition.ConsoleChannel: dispatch.NewConsole(config.Console)},
	}
}

// Language is the language that definitions are compiled with.
func (c *Catalog) Language() *expr.Language { return c.config.Language }

// Egress is what channels may reach.
func (c *Catalog) Egress() *egress.Policy { return c.config.Egress }

// Compile implements [shard.Compile]; the shards share what it returns.
func (c *Catalog) Compile(workspace string, d *program.Document) (program.Definition, error) {
	key := documentKey{workspace, d.Kind, d.Name, d.Version}
	c.mu.Lock()
	defer c.mu.Unlock()
	if p, ok := c.compiled[key]; ok && p.Document.Equal(d) { // a preview may have had this version
		return p, nil
	}
	p, err := parse.Document(c.config.Language, workspace, d)
	if err == nil && len(c.compiled) < maxCompiled {
		c.compiled[key] = p
	}
	return p, err
}

// Texts returns the texts of a step's message in one version of a campaign. A template that
// the message names is taken as it is in force now.
func (c *Catalog) Texts(workspace, name string, version uint32, step string) ([]program.Field, error) {
	d, ok := c.config.Control.Version(workspace, program.KindCampaign, name, version)
	if !ok {
		return nil, fmt.Errorf("campaign %s has no version %d", name, version)
	}
	p, err := c.Compile(workspace, &d)
	if err != nil {
		return nil, err
	}
	var message program.Message
	p.Campaign.Sends(func(id string, s *program.Send) {
		if id == step {
			message = s.Message
		}
	})
	if message.Template == "" {
		return message.Fields, nil
	}
	d, ok = c.config.Control.Document(workspace, program.KindTemplate, message.Template)
	if !ok {
		return nil, fmt.Errorf("template %s is not defined", message.Template)
	}
	if p, err = c.Compile(workspace, &d); err != nil {
		return nil, err
	}
	return p.Template.Fields, nil
}

func (c *Catalog) templates(workspace string) []program.Template {
	var all []program.Template
	for _, d := range c.config.Control.DocumentsOf(workspace, program.KindTemplate) {
		if p, err := c.Compile(workspace, &d); err == nil {
			all = append(all, *p.Template)
		}
	}
	return all
}

// Hook returns the webhook trigger of a campaign in force, nil when it has none.
func (c *Catalog) Hook(workspace, name string) *program.WebhookTrigger {
	d, ok := c.config.Control.Document(workspace, program.KindCampaign, name)
	if !ok {
		return nil
	}
	p, err := c.Compile(workspace, &d)
	if err != nil {
		return nil
	}
	t, _ := p.Campaign.Trigger.(*program.WebhookTrigger)
	return t
}

// Channel returns the channel in force under a name; a version of one is made once.
func (c *Catalog) Channel(name string) (dispatch.Channel, error) {
	if d, ok := c.config.Control.Document(c.config.Workspace, program.KindChannel, name); ok {
		key := fmt.Sprintf("%s/%d", name, d.Version)
		p, err := c.Compile(c.config.Workspace, &d)
		if err != nil {
			return nil, err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if known, ok := c.channels[key]; ok {
			return known, nil
		}
		made, err := dispatch.NewChannel(p.Channel.Type,
			dispatch.ChannelSpec{URL: p.Channel.URL, Out: c.config.Console, Egress: c.config.Egress})
		if err != nil {
			return nil, fmt.Errorf("channel %s: %w", name, err)
		}
		c.channels[key] = made
		return made, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.channels[name]; ok {
		return known, nil
	}
	return nil, fmt.Errorf("channel %s is not defined", name)
}

// Known returns what new definitions may refer to.
func (c *Catalog) Known() definition.Known {
	k := definition.Known{Templates: c.templates(c.config.Workspace)}
	for _, d := range c.config.Control.Documents(c.config.Workspace) {
		switch d.Kind {
		case program.KindChannel:
			k.Channels = append(k.Channels, d.Name)
		case program.KindCampaign, program.KindPolicy:
			if p, err := c.Compile(c.config.Workspace, &d); err == nil && p.Policy != nil {
				k.Policies = append(k.Policies, p.Policy)
			} else if err == nil {
				k.Campaigns = append(k.Campaigns, p.Campaign)
			}
		}
	}
	return k
}

// Counters returns what the campaigns in force count, as a set of nothing but them.
func (c *Catalog) Counters() (*active.Set, error) {
	var programs []*program.Program
	for _, d := range c.config.Control.Documents(c.config.Workspace) {
		p, err := c.Compile(c.config.Workspace, &d)
		if err != nil {
			return nil, err
		}
		if p.Campaign != nil {
			programs = append(programs, p.Campaign)
		}
	}
	return active.NewSet(programs, map[string]uint64{}, 0), nil
}
