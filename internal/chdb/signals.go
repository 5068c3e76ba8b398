package chdb

import (
	"fmt"
	"sync"
	"syscall"

	"github.com/ebitengine/purego"
)

// guardedSignals are the ones that the engine takes over on start: with its
// handlers a crash hangs for minutes before the process ends, and a nil
// dereference in Go would not be a panic but the end of the process. Opting
// out does not suffice: chdb_set_signal_handlers_enabled(0), and every later
// chdb_connect, resets them to SIG_DFL, which drops the Go runtime's as well.
// So they are saved before each such call and put back after it.
//
//nudge:constant read only
var guardedSignals = [...]syscall.Signal{
	syscall.SIGABRT, syscall.SIGSEGV, syscall.SIGILL, syscall.SIGBUS,
	syscall.SIGSYS, syscall.SIGFPE, syscall.SIGTSTP, syscall.SIGTRAP,
}

// sigactionSize is larger than struct sigaction anywhere we run (152 bytes on
// Linux with glibc, 16 on macOS); its content is never looked at.
const sigactionSize = 256

// signalGuard runs calls into the engine that reset signal handlers. The
// mutex makes save-call-restore one step: two in parallel would save a state
// that the other one has already reset.
type signalGuard struct {
	mu        sync.Mutex
	sigaction func(sig int32, act, old *byte) int32
}

// newSignalGuard finds sigaction of the C library.
func newSignalGuard() (*signalGuard, error) {
	addr, err := purego.Dlsym(purego.RTLD_DEFAULT, "sigaction")
	if err != nil {
		return nil, fmt.Errorf("chdb: libc has no sigaction, so the engine would keep the process's signal "+
			"handlers: %w", err)
	}
	g := &signalGuard{}
	purego.RegisterFunc(&g.sigaction, addr)
	return g, nil
}

// around calls f and leaves the guarded handlers as they were before.
func (g *signalGuard) around(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var saved [len(guardedSignals)][sigactionSize]byte
	for i, sig := range guardedSignals {
		g.sigaction(int32(sig), nil, &saved[i][0])
	}
	f()
	for i, sig := range guardedSignals {
		g.sigaction(int32(sig), &saved[i][0], nil)
	}
}
