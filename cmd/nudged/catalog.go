package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/nudge-engine/nudge/actors"
	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/internal/definition"
	"github.com/nudge-engine/nudge/sink/dispatch"
	"github.com/nudge-engine/nudge/sink/dispatch/egress"
)

// catalog is what the definitions in force mean, compiled once for all who ask.
// It is safe for concurrent use.
type catalog struct {
	lang    *campaign.Language
	control *actors.Controller
	egress  *egress.Policy

	awaited broadcastNames

	mu       sync.Mutex
	compiled map[documentKey]campaign.Parsed
	channels map[string]dispatch.Channel
}

type documentKey struct {
	workspace, kind, name string
	version               uint32
}

// maxCompiled bounds the compiled documents that are kept.
const maxCompiled = 20_000

func newCatalog(lang *campaign.Language, control *actors.Controller, allowed *egress.Policy) *catalog {
	return &catalog{
		lang: lang, control: control, egress: allowed, compiled: map[documentKey]campaign.Parsed{},
		channels: map[string]dispatch.Channel{definition.ConsoleChannel: dispatch.NewConsole(os.Stdout)},
	}
}

// compile implements actors.Compile: the shards share what they have in common.
func (c *catalog) compile(workspace string, d *campaign.Document) (campaign.Parsed, error) {
	key := documentKey{workspace, d.Kind, d.Name, d.Version}
	c.mu.Lock()
	defer c.mu.Unlock()
	if p, ok := c.compiled[key]; ok && p.Document.Equal(d) { // a preview may have had this version
		return p, nil
	}
	p, err := campaign.ParseDocument(c.lang, workspace, d)
	if err == nil && len(c.compiled) < maxCompiled {
		c.compiled[key] = p
	}
	return p, err
}

// texts are the texts of a step's message in one version of a campaign.
func (c *catalog) texts(workspace, name string, version uint32, step string) ([]campaign.Field, error) {
	d, ok := c.control.Version(workspace, campaign.KindCampaign, name, version)
	if !ok {
		return nil, fmt.Errorf("campaign %s has no version %d", name, version)
	}
	p, err := c.compile(workspace, &d)
	if err != nil {
		return nil, err
	}
	var message campaign.Message
	p.Campaign.Sends(func(id string, s *campaign.Send) {
		if id == step {
			message = s.Message
		}
	})
	if message.Template == "" {
		return message.Fields, nil
	}
	d, ok = c.control.Document(workspace, campaign.KindTemplate, message.Template)
	if !ok {
		return nil, fmt.Errorf("template %s is not defined", message.Template)
	}
	if p, err = c.compile(workspace, &d); err != nil {
		return nil, err
	}
	return p.Template.Fields, nil
}

func (c *catalog) templates(workspace string) []campaign.Template {
	var all []campaign.Template
	for _, d := range c.control.DocumentsOf(workspace, campaign.KindTemplate) {
		if p, err := c.compile(workspace, &d); err == nil {
			all = append(all, *p.Template)
		}
	}
	return all
}

// hook is the webhook trigger of a campaign in force, nil when it has none.
func (c *catalog) hook(workspace, name string) *campaign.WebhookTrigger {
	d, ok := c.control.Document(workspace, campaign.KindCampaign, name)
	if !ok {
		return nil
	}
	p, err := c.compile(workspace, &d)
	if err != nil {
		return nil
	}
	t, _ := p.Campaign.Trigger.(*campaign.WebhookTrigger)
	return t
}

// channel is the channel in force under that name.
func (c *catalog) channel(name string) (dispatch.Channel, error) {
	if d, ok := c.control.Document(workspaceName, campaign.KindChannel, name); ok {
		key := fmt.Sprintf("%s/%d", name, d.Version)
		p, err := c.compile(workspaceName, &d)
		if err != nil {
			return nil, err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if known, ok := c.channels[key]; ok {
			return known, nil
		}
		made, err := dispatch.NewChannel(p.Channel.Type,
			dispatch.ChannelSpec{URL: p.Channel.URL, Out: os.Stdout, Egress: c.egress})
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

// known is what new definitions may refer to.
func (c *catalog) known() definition.Known {
	k := definition.Known{Templates: c.templates(workspaceName)}
	for _, d := range c.control.Documents(workspaceName) {
		switch d.Kind {
		case campaign.KindChannel:
			k.Channels = append(k.Channels, d.Name)
		case campaign.KindCampaign, campaign.KindPolicy:
			if p, err := c.compile(workspaceName, &d); err == nil && p.Policy != nil {
				k.Policies = append(k.Policies, p.Policy)
			} else if err == nil {
				k.Campaigns = append(k.Campaigns, p.Campaign)
			}
		}
	}
	return k
}

// apply checks files and puts them in force.
func (n *node) apply(ctx context.Context, files []definition.File) ([]actors.Applied, error) {
	documents, _, err := n.checked(files)
	if err != nil {
		return nil, err
	}
	return n.enforce(ctx, documents)
}

// applyAsked is apply for an author who can be asked back.
func (n *node) applyAsked(ctx context.Context, files []definition.File) ([]actors.Applied, error) {
	documents, docs, err := n.checked(files)
	if err != nil {
		return nil, err
	}
	if err := n.askLate(ctx, documents, docs); err != nil {
		return nil, err
	}
	return n.enforce(ctx, documents)
}

// enforce puts checked documents in force.
func (n *node) enforce(ctx context.Context, documents []campaign.Document) ([]actors.Applied, error) {
	limited, cancel := context.WithTimeout(ctx, applyLimit)
	defer cancel()
	applied, err := n.control.Apply(limited, workspaceName, documents)
	if err != nil {
		return nil, err
	}
	return applied, n.ensureLanes(ctx)
}

// checked parses files and checks them against what is in force: what can be put in
// force, and what the files say, scenarios too.
func (n *node) checked(files []definition.File) ([]campaign.Document, []campaign.Parsed, error) {
	o := definition.Options{Known: n.catalog.known(), Egress: n.catalog.egress}
	docs, err := definition.Parse(n.catalog.lang, files, o)
	if err != nil {
		return nil, nil, &definitionError{err}
	}
	var documents []campaign.Document
	for _, d := range docs {
		if d.Scenario == nil { // a test of campaigns is nothing to put in force
			documents = append(documents, d.Document)
		}
	}
	return documents, docs, nil
}

// definitionError marks errors that are the author's.
type definitionError struct{ error }

func (e *definitionError) Unwrap() error { return e.error }

// ensureLanes starts the workers of all channels in force.
func (n *node) ensureLanes(ctx context.Context) error {
	names := append([]string{definition.ConsoleChannel}, n.catalog.known().Channels...)
	for _, name := range names {
		if err := n.dispatch.Ensure(ctx, name); err != nil {
			return err
		}
		if _, err := n.catalog.channel(name); err != nil { // in force since before a setting changed
			n.log.Warn("deliveries of a channel fail for good", slog.String("channel", name), slog.Any("error", err))
		}
	}
	return nil
}

// applyDir applies the configured directory.
func (n *node) applyDir(ctx context.Context) error {
	if n.config.CampaignsDir == "" {
		return n.ensureLanes(ctx)
	}
	files, err := definition.Read(n.config.CampaignsDir)
	if err != nil {
		return err
	}
	_, err = n.apply(ctx, files)
	return err
}
