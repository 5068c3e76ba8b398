// Package deploy puts definition files in force: it checks them against those that are, says
// what they would do, refuses what would surprise their author, and fills counters from the
// log first where that is wanted. It is the part between those who apply files, over the admin
// address or at start, and actors.Controller, which records the documents.
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

// limit is how long the shards have to take definitions over, or to say what they would do. A
// dry run visits all customers of all shards, which takes seconds with millions of them.
const limit = time.Minute

// Config is what a [Deployer] works on. All fields are required.
type Config struct {
	Control   *actors.Controller
	Catalog   *catalog.Catalog
	Dispatch  *dispatch.Dispatcher
	Workspace string
	Logger    *slog.Logger
}

// Deployer puts definitions in force. It is safe for concurrent use; the order of concurrent
// applies is that in which the controller records them.
type Deployer struct {
	config Config
	// begun wakes RunBackfills when a backfill was begun. It has room for one signal: more of
	// them say nothing new.
	begun chan struct{}
}

// New makes a deployer. It does nothing by itself; see [Deployer.RunBackfills].
func New(config Config) *Deployer {
	return &Deployer{config: config, begun: make(chan struct{}, 1)}
}

// AuthorError is an error that the author of definition files can mend: the files are wrong,
// or leave something open that only the author can know. Over HTTP it becomes the status 422;
// other errors are the server's.
type AuthorError struct{ cause error }

// Error returns what is wrong, with the place in the files.
func (e *AuthorError) Error() string { return e.cause.Error() }

// Unwrap returns the cause.
func (e *AuthorError) Unwrap() error { return e.cause }

// Apply checks files and puts them in force, all of them or none. It returns what became of
// each document, also of those that did not change. The error is an [*AuthorError] when the
// files are wrong. It is meant for a start, when no author is there to be asked; see
// [Deployer.Submit].
func (d *Deployer) Apply(ctx context.Context, files []definition.File) ([]actors.Applied, error) {
	documents, _, err := d.check(files)
	if err != nil {
		return nil, err
	}
	return d.enforce(ctx, documents)
}

// Submit is [Deployer.Apply] for an author who can be asked back: it refuses, with an
// [*AuthorError], what would surprise them unless their files say that they want it.
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

// enforce records checked documents, waits up to limit for the shards to have them, and starts
// the workers of new channels.
func (d *Deployer) enforce(ctx context.Context, documents []program.Document) ([]actors.Applied, error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	applied, err := d.config.Control.Apply(limited, d.config.Workspace, documents)
	if err != nil {
		return nil, err
	}
	return applied, d.EnsureChannels(ctx)
}

// check parses files and checks them together with what is in force. It returns the documents
// that can be put in force, and everything that the files say, scenarios too. The error is an
// [*AuthorError].
func (d *Deployer) check(files []definition.File) ([]program.Document, []parse.Parsed, error) {
	o := definition.Options{Known: d.config.Catalog.Known(), Egress: d.config.Catalog.Egress()}
	docs, err := definition.Parse(d.config.Catalog.Language(), files, o)
	if err != nil {
		return nil, nil, &AuthorError{err}
	}
	var documents []program.Document
	for _, doc := range docs {
		// A scenario is a test of campaigns and is not put in force.
		if doc.Scenario == nil {
			documents = append(documents, doc.Document)
		}
	}
	return documents, docs, nil
}

// EnsureChannels starts the workers of all channels in force that do not run yet.
func (d *Deployer) EnsureChannels(ctx context.Context) error {
	names := append([]string{definition.ConsoleChannel}, d.config.Catalog.Known().Channels...)
	for _, name := range names {
		if err := d.config.Dispatch.Ensure(ctx, name); err != nil {
			return err
		}
		// A channel that was accepted once can be impossible now, for example because a
		// setting no longer lets it reach its address. The server still runs, and its
		// deliveries fail with this reason.
		if _, err := d.config.Catalog.Channel(name); err != nil {
			d.config.Logger.Warn("deliveries of a channel fail for good", slog.String("channel", name),
				slog.Any("error", err))
		}
	}
	return nil
}

// ApplyDir puts the files of a directory in force; with an empty name it only starts the
// workers of the channels. What is in force and has no file in the directory stays in force.
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
