// Package deploy puts definition files in force: it checks them against those that are, says
// what they would do, asks authors for what only they can know, and fills counters from the
// log first where that is wanted.
package deploy

import (
	"context"
	"log/slog"
	"time"

	"github.com/nudge-engine/nudge/actors"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/definition"
	"github.com/nudge-engine/nudge/server/catalog"
	"github.com/nudge-engine/nudge/sink/dispatch"
)

// limit is how long the shards have to take definitions over, or to say what they would do.
const limit = time.Minute

// Config is what a [Deployer] works on. All fields are required.
type Config struct {
	Control   *actors.Controller
	Catalog   *catalog.Catalog
	Dispatch  *dispatch.Dispatcher
	Workspace string
	Logger    *slog.Logger
}

// Deployer puts definitions in force. It is safe for concurrent use.
type Deployer struct {
	config Config
	begun  chan struct{} // a backfill was begun
}

// New makes a deployer.
func New(config Config) *Deployer {
	return &Deployer{config: config, begun: make(chan struct{}, 1)}
}

// AuthorError is what is wrong with definition files, or what their author has still to say.
type AuthorError struct{ cause error }

func (e *AuthorError) Error() string { return e.cause.Error() }

func (e *AuthorError) Unwrap() error { return e.cause }

// Apply checks files and puts them in force. The error is an [*AuthorError] when the files are
// wrong.
func (d *Deployer) Apply(ctx context.Context, files []definition.File) ([]actors.Applied, error) {
	documents, _, err := d.check(files)
	if err != nil {
		return nil, err
	}
	return d.enforce(ctx, documents)
}

// Submit is Apply for an author who can be asked back: it refuses, with an [*AuthorError], what
// would surprise them unless they say that they want it.
func (d *Deployer) Submit(ctx context.Context, files []definition.File) ([]actors.Applied, error) {
	documents, docs, err := d.check(files)
	if err != nil {
		return nil, err
	}
	if err := d.askLate(ctx, documents, docs); err != nil {
		return nil, err
	}
	return d.enforce(ctx, documents)
}

// enforce puts checked documents in force.
func (d *Deployer) enforce(ctx context.Context, documents []program.Document) ([]actors.Applied, error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	applied, err := d.config.Control.Apply(limited, d.config.Workspace, documents)
	if err != nil {
		return nil, err
	}
	return applied, d.EnsureChannels(ctx)
}

// check parses files and checks them against what is in force: what can be put in
// force, and what the files say, scenarios too.
func (d *Deployer) check(files []definition.File) ([]program.Document, []parse.Parsed, error) {
	o := definition.Options{Known: d.config.Catalog.Known(), Egress: d.config.Catalog.Egress()}
	docs, err := definition.Parse(d.config.Catalog.Language(), files, o)
	if err != nil {
		return nil, nil, &AuthorError{err}
	}
	var documents []program.Document
	for _, doc := range docs {
		if doc.Scenario == nil { // a test of campaigns is nothing to put in force
			documents = append(documents, doc.Document)
		}
	}
	return documents, docs, nil
}

// EnsureChannels starts the workers of all channels in force.
func (d *Deployer) EnsureChannels(ctx context.Context) error {
	names := append([]string{definition.ConsoleChannel}, d.config.Catalog.Known().Channels...)
	for _, name := range names {
		if err := d.config.Dispatch.Ensure(ctx, name); err != nil {
			return err
		}
		if _, err := d.config.Catalog.Channel(name); err != nil { // in force since before a setting changed
			d.config.Logger.Warn("deliveries of a channel fail for good", slog.String("channel", name),
				slog.Any("error", err))
		}
	}
	return nil
}

// ApplyDir puts the files of a directory in force; with an empty name it only starts the
// workers of the channels.
func (d *Deployer) ApplyDir(ctx context.Context, dir string) error {
	if dir == "" {
		return d.EnsureChannels(ctx)
	}
	files, err := definition.Read(dir)
	if err != nil {
		return err
	}
	_, err = d.Apply(ctx, files)
	return err
}
