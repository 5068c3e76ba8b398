// Package catalog has the definitions in force, compiled once for all who ask: the shards, the
// channels, the HTTP addresses and deploy, which puts new definitions in force. The
// definitions themselves are kept by actors.Controller; the catalog adds what they mean. It
// starts nothing and stores nothing.
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
	// Language compiles expressions; one is enough for all, and it is safe for concurrent use.
	Language  *expr.Language
	Control   *actors.Controller // has the definitions
	Egress    *egress.Policy     // what channels may reach
	Console   io.Writer          // where channels of the type console write
	Workspace string             // whose channels and definitions are meant where no workspace is given
}

// Catalog answers what the definitions in force mean. It is safe for concurrent use, and what
// it returns is shared: callers must not change it.
type Catalog struct {
	config Config

	// awaited caches which events start broadcasts, see broadcasts.go.
	awaited broadcastNames

	// mu guards the two maps below. It is held while a document is compiled, so that the
	// shards, which all ask for a new definition at the same time, compile it only once.
	mu sync.Mutex
	// compiled has parsed documents by version. Versions are immutable, so an entry never gets
	// out of date; at most maxCompiled are kept.
	compiled map[documentKey]program.Definition
	// channels has the console under its name and others under "name/version".
	channels map[string]dispatch.Channel
}

// documentKey identifies one version of a document; kind is one of program.Kind*.
type documentKey struct {
	workspace, kind, name string
	version               uint32
}

// maxCompiled bounds the compiled documents that are kept. It is far above what a workspace
// has in force with its retained versions; documents beyond it still work, and are compiled
// each time.
const maxCompiled = 20_000

// New makes a catalog. The channel console is always in it.
func New(config Config) *Catalog {
	return &Catalog{
		config: config, compiled: map[documentKey]program.Definition{},
		channels: map[string]dispatch.Channel{definition.ConsoleChannel: dispatch.NewConsole(config.Console)},
	}
}

// Language returns the language that definitions are compiled with.
func (c *Catalog) Language() *expr.Language { return c.config.Language }

// Egress returns the policy for what channels may reach.
func (c *Catalog) Egress() *egress.Policy { return c.config.Egress }

// Compile returns a document as a definition. It implements [shard.Compile]; all shards share
// what it returns. The error says where in the document's source it is wrong; errors are not
// cached, because what is in force has compiled before.
func (c *Catalog) Compile(workspace string, d *program.Document) (program.Definition, error) {
	key := documentKey{workspace, d.Kind, d.Name, d.Version}
	c.mu.Lock()
	defer c.mu.Unlock()
	// The text is compared too: a preview may have compiled another document under this
	// version, which was never put in force.
	if p, ok := c.compiled[key]; ok && p.Document.Equal(d) {
		return p, nil
	}
	p, err := parse.Document(c.config.Language, workspace, d)
	if err == nil && len(c.compiled) < maxCompiled {
		c.compiled[key] = p
	}
	return p, err
}

// Texts returns the texts of a step's message in one version of a campaign; none when the step
// sends nothing. A template that the message names is taken as it is in force now, not as it
// was when the message was decided, so that a correction reaches messages that wait. It is an
// error when version or template is not there.
func (c *Catalog) Texts(workspace, name string, version uint32, step string) ([]program.Field, error) {
	d, ok := c.config.Control.Version(workspace, program.KindCampaign, name, version)
	if !ok {
		return nil, fmt.Errorf("campaign %s has no version %d", name, version)
	}
	p, err := c.Compile(workspace, &d)
	if err != nil {
		return nil, err
	}
	// The step may have been removed in later versions; this is the version that the delivery
	// was made by.
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

// templates returns the templates in force of a workspace.
func (c *Catalog) templates(workspace string) []program.Template {
	var all []program.Template
	for _, d := range c.config.Control.DocumentsOf(workspace, program.KindTemplate) {
		if p, err := c.Compile(workspace, &d); err == nil {
			all = append(all, *p.Template)
		}
	}
	return all
}

// Hook returns the webhook trigger of the campaign in force of that name; nil when there is no
// such campaign or it has another trigger. Ingest asks it at each call of a webhook.
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

// Channel returns the channel in force under a name. A version of a channel is made once, so
// that its connections are used again; a channel that was never defined, and is not the
// console, is an error.
func (c *Catalog) Channel(name string) (dispatch.Channel, error) {
	if d, ok := c.config.Control.Document(c.config.Workspace, program.KindChannel, name); ok {
		key := fmt.Sprintf("%s/%d", name, d.Version)
		p, err := c.Compile(c.config.Workspace, &d)
		if err != nil {
			return nil, err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		// It was made before, or by another caller meanwhile.
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

// Known returns the channels, templates, policies and campaigns in force of the configured
// workspace: what new definitions may refer to, and are checked against. Documents that no
// longer compile are left out.
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

// Counters returns what the campaigns in force count, as a set of nothing else: without
// policies, and not for applying events. Two of them, from before and after an apply, say
// which counters begin.
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
