package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// The lease is a key in a bucket whose values expire: its holder writes it again before
// that. The revision of the key is the epoch.
const (
	leaseTTL   = 10 * time.Second // after which a holder that is silent has lost it
	leaseRenew = 3 * time.Second  // so two renewals in a row may fail
	leaseRetry = time.Second      // between two attempts to get it
)

// jsLease is a lease that is held, with the goroutine that renews it.
type jsLease struct {
	kv       jetstream.KeyValue
	name     string
	holder   string
	epoch    uint64        // revision at which it was taken
	revision uint64        // of the last renewal; used by the renewing goroutine, and by Release after that
	lost     chan struct{} // closed when the renewing goroutine ends
	stop     context.CancelFunc
	finished sync.WaitGroup
	log      *slog.Logger
}

// Lease implements Log. It waits until the key is free, tries once a second, and then
// keeps it.
func (l *JetStream) Lease(ctx context.Context, name, holder string) (Lease, error) {
	kv, err := l.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: "nudge_lease", TTL: leaseTTL, Replicas: l.replicas, Storage: jetstream.FileStorage,
	})
	if err != nil {
		return nil, fmt.Errorf("stream: lease bucket: %w", err)
	}
	said := false
	for {
		revision, err := kv.Create(ctx, name, []byte(holder))
		if err == nil {
			return l.hold(kv, name, holder, revision), nil
		}
		if !errors.Is(err, jetstream.ErrKeyExists) {
			return nil, fmt.Errorf("stream: lease %s: %w", name, err)
		}
		// A holder that died and came back takes its own lease over at once.
		if old, err := kv.Get(ctx, name); err == nil && string(old.Value()) == holder {
			if revision, err := kv.Update(ctx, name, []byte(holder), old.Revision()); err == nil {
				return l.hold(kv, name, holder, revision), nil
			}
		}
		if !said {
			said = true
			l.log.Info("stream: waiting for the lease that another holder has", slog.String("lease", name))
		}
		select {
		case <-time.After(leaseRetry):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// hold begins to renew a lease that was taken at revision.
func (l *JetStream) hold(kv jetstream.KeyValue, name, holder string, revision uint64) *jsLease {
	ctx, stop := context.WithCancel(context.Background())
	lease := &jsLease{
		kv: kv, name: name, holder: holder, epoch: revision, revision: revision,
		lost: make(chan struct{}), stop: stop, log: l.log,
	}
	lease.finished.Go(func() { lease.renew(ctx) })
	return lease
}

// renew writes the key again and again. A refusal, or silence for as long as the key
// lives, means that the lease is lost.
func (l *jsLease) renew(ctx context.Context) {
	defer close(l.lost)
	ticker := time.NewTicker(leaseRenew)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		limited, cancel := context.WithTimeout(ctx, leaseRenew)
		revision, err := l.kv.Update(limited, l.name, []byte(l.holder), l.revision)
		cancel()
		if err != nil && ctx.Err() == nil {
			revision, err = l.mine(ctx, err)
		}
		switch {
		case err == nil:
			l.revision, last = revision, time.Now()
		case ctx.Err() != nil:
			return
		case errors.Is(err, jetstream.ErrKeyExists) || time.Since(last) > leaseTTL:
			l.log.Error("stream: lease lost", slog.String("lease", l.name), slog.Any("error", err))
			return
		}
	}
}

// mine returns the revision of the lease if it is still held although a renewal failed:
// one whose answer was lost may have been stored. Otherwise it returns failure.
func (l *jsLease) mine(ctx context.Context, failure error) (revision uint64, err error) {
	limited, cancel := context.WithTimeout(ctx, leaseRenew)
	defer cancel()
	entry, err := l.kv.Get(limited, l.name)
	if err != nil {
		return 0, errors.Join(failure, err)
	}
	if string(entry.Value()) != l.holder {
		return 0, failure
	}
	return entry.Revision(), nil
}

func (l *jsLease) Epoch() uint64         { return l.epoch }
func (l *jsLease) Lost() <-chan struct{} { return l.lost }

// Release stops renewing and frees the key, so that the next holder need not wait until
// it expires. If the server does not answer, it expires.
func (l *jsLease) Release() {
	l.stop()
	l.finished.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), leaseRetry)
	defer cancel()
	if err := l.kv.Delete(ctx, l.name, jetstream.LastRevision(l.revision)); err != nil {
		l.log.Debug("stream: lease not freed; it expires by itself", slog.Any("error", err))
	}
}
