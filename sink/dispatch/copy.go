package dispatch

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/stream"
)

// Limits of what is copied at once: effect messages, and their bytes before the last of
// them; and of the messages that are read meanwhile, each of at most 512 KiB.
const (
	copiedAtOnce = 64
	copiedBytes  = 128 << 10
	copiedAhead  = 8
)

// copy copies one partition's deliveries, from the saved position on.
func (d *Dispatcher) copy(ctx context.Context, p int) {
	next := d.copied[p].Load() + 1
	var err error
	for ctx.Err() == nil {
		if next, err = d.copyFrom(ctx, p, next, copyKey(p)); err != nil && ctx.Err() == nil {
			d.config.Logger.Warn("dispatch: copying is tried again", slog.Int("partition", p), slog.Any("error", err))
			pause(ctx, retryPause)
		}
	}
	d.savePosition(p, next-1, copyKey(p))
}

func (d *Dispatcher) copyFrom(ctx context.Context, p int, next uint64, key []byte) (uint64, error) {
	info, err := d.config.Effects[p].Info(ctx)
	if err != nil {
		return next, err
	}
	next = max(next, info.First)
	r, err := d.config.Effects[p].Read(ctx, next)
	if err != nil {
		return next, err
	}
	defer r.Close()
	a := readAhead(ctx, r)
	defer a.stop()
	saved := time.Now()
	for {
		group, err := a.next()
		if err != nil {
			return next, err
		}
		for i := range group {
			if want := next + uint64(i); group[i].Seq != want {
				return next, fmt.Errorf("dispatch: effect message %d came where %d was due", group[i].Seq, want)
			}
		}
		if err := d.copyMessages(ctx, p, group); err != nil {
			return next, err
		}
		next += uint64(len(group))
		if time.Since(saved) > saveEvery {
			d.savePosition(p, next-1, key)
			saved = time.Now()
		}
	}
}

// ahead reads messages while those before them are copied.
type ahead struct {
	messages chan stream.Message
	failure  error // why there are no more; read it after messages was closed
	group    []stream.Message
	stopRead context.CancelFunc
	reading  sync.WaitGroup
}

func readAhead(ctx context.Context, r stream.Reader) *ahead {
	ctx, stop := context.WithCancel(ctx)
	a := &ahead{messages: make(chan stream.Message, copiedAhead), stopRead: stop}
	a.reading.Go(func() {
		defer close(a.messages)
		for {
			m, err := r.Next(ctx)
			if err != nil {
				a.failure = err
				return
			}
			select {
			case a.messages <- m:
			case <-ctx.Done():
				a.failure = context.Cause(ctx)
				return
			}
		}
	})
	return a
}

func (a *ahead) stop() {
	a.stopRead()
	a.reading.Wait()
}

// next waits for a message and takes those along that have come meanwhile. The result
// holds until the next call.
func (a *ahead) next() ([]stream.Message, error) {
	m, more := <-a.messages
	if !more {
		return nil, a.failure
	}
	a.group = append(a.group[:0], m)
	for bytes := len(m.Data); len(a.group) < copiedAtOnce && bytes < copiedBytes; bytes += len(m.Data) {
		select {
		case m, more = <-a.messages:
			if !more {
				return a.group, nil // the failure comes with the next call
			}
			a.group = append(a.group, m)
		default:
			return a.group, nil
		}
	}
	return a.group, nil
}

// copyMessages puts the deliveries of effect messages in a row into the streams of their
// channels, one message a channel, and carries their transfers. What a stream has already is
// passed over: a message of it says up to which effect message it has all.
func (d *Dispatcher) copyMessages(ctx context.Context, p int, group []stream.Message) error {
	parcels := map[string][]*campaign.Delivery{}
	lanes := map[string]*lane{}
	var channels []string
	var transfers []campaign.Transfer
	size := 0
	for _, raw := range group {
		m, err := effect.DecodeOutgoing(raw.Data, d.names[p])
		if err != nil {
			return err
		}
		size += len(raw.Data)
		transfers = append(transfers, m.Transfers...)
		for i := range m.Deliveries {
			v := &m.Deliveries[i]
			if v.Status != campaign.HandedOff {
				continue
			}
			l := lanes[v.Channel]
			if l == nil {
				if l, err = d.lane(ctx, v.Channel); err != nil {
					return err
				}
				lanes[v.Channel] = l
				channels = append(channels, v.Channel)
			}
			if raw.Seq > l.last[p] {
				parcels[v.Channel] = append(parcels[v.Channel], v)
			}
		}
	}
	slices.Sort(channels)
	upTo := group[len(group)-1].Seq
	for _, name := range channels {
		if len(parcels[name]) == 0 {
			continue
		}
		a := stream.Append{Data: encodeParcel(upTo, parcels[name], size), Lane: strconv.Itoa(p)}
		if _, err := stream.AppendWait(ctx, lanes[name].stream, a); err != nil {
			return err
		}
		lanes[name].last[p] = upTo
	}
	return d.carry(ctx, transfers)
}
