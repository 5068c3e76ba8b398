package faults_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/stream"
)

// The connection is cut, or hangs for longer than a question may take, while the server
// starts. It may end and be started again, or come up late; but what is only the network
// must not halt a partition, because nothing takes that back.
func TestNatsCutAtStart(t *testing.T) {
	l := begin(t, "log elsewhere, connection cut at start",
		"before c734734 all partitions halted, for good, when the link hung.")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	nats := newNats(t)
	line := newLink(t, nats.address, wire)
	s := newOnNats(t, line.address, newClickHouse(t))
	began := time.Now()
	s.start()
	s.ready()
	usual := time.Since(began)
	stop := s.load()
	s.acknowledged(time.Minute, 1000)
	restarts := 0
	// A question about the last stream for the third time: the streams were opened,
	// their ends were read, and now the shards compare their snapshots with them.
	for _, inject := range []func(){line.hang, line.cut} {
		s.kill()
		sprung := line.arm("STREAM.INFO."+stream.EventStream(partitions-1), 3, inject)
		s.start()
		select {
		case <-sprung:
		case <-time.After(time.Minute):
			t.Fatal("the shards asked nothing")
		}
		restarts += s.watch(6 * time.Second)
		line.restore()
		restarts += s.supervised(time.Minute, 1000)
		s.neverHalted()
	}
	const starts = 8
	for i := range starts {
		s.kill()
		s.start()
		<-time.After(time.Duration(rng.Int64N(int64(usual))))
		if i%4 == 0 {
			line.hang()
			restarts += s.watch(6 * time.Second)
		} else {
			line.cut()
			restarts += s.watch(time.Duration(rng.IntN(1500)) * time.Millisecond)
		}
		line.restore()
		restarts += s.supervised(time.Minute, 200)
		s.neverHalted()
	}
	stop(time.Minute)
	found := s.settle(2 * time.Minute)
	s.stop()
	s.replayed()
	effects := inOrder(t, nats.address)
	l.set(fmt.Sprintf("hung and cut for 6 s when the shards compare themselves with the log; cut or hung %d times within "+
		"the %v of a start", starts,
		usual.Round(100*time.Millisecond)), fmt.Sprintf("%s; the server ended by itself %d times and was started again; "+
		"no partition halted; %d effect messages, each under its number; a replay of the whole log agrees", found, restarts,
		effects))
}
