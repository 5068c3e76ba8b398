package faults_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Every write and fsync fails from one instant on, as on a disk that is gone: after that
// nothing is acknowledged but what had reached the disk. (Device mapper could let single
// writes fail; this machine's kernel has none, so the file system is shut down, after
// which each write gets EIO.)
func TestWriteErrors(t *testing.T) {
	l := begin(t, "write errors (EIO)",
		"with NUDGE_NO_SYNC=1 all 4,080 acknowledged events were missing.")
	const after = 10 * time.Second
	d := newDisk(t)
	s := newServer(t, d.path)
	s.start()
	stop := s.load()
	s.acknowledged(time.Minute, 4000)
	at := time.Now()
	d.cut()
	cut := time.Now()
	<-time.After(after)
	ended := s.over()
	s.kill()
	stop(0)
	acked := s.book.copied()
	between, late := 0, 0
	for _, when := range acked {
		switch {
		case when.After(cut.Add(time.Second)):
			late++
		case when.After(at):
			between++
		}
	}
	if late > 0 {
		t.Errorf("%d events were acknowledged more than a second after every write failed", late)
	}
	if !ended {
		t.Errorf("the server still ran %v after every write failed", after)
	}
	d.unmount()
	d.mount()
	if err := missing("log", acked, s.logAfter()); err != nil {
		t.Error(err)
	}
	if text := s.log.String(); !strings.Contains(text, "input/output error") && !strings.Contains(text, "structure needs cleaning") {
		t.Error("the log of the server does not say that writing failed")
	}
	s.start()
	s.ready()
	found := s.settle(2 * time.Minute)
	s.stop()
	s.verify()
	l.set(fmt.Sprintf("all writes under load, for %v", after), fmt.Sprintf(
		"%d acknowledged at the instant of the fault, all of them in the log after; %d later; the server ended by itself; after the disk was back: %s; verify ok",
		between, late, found))
}
