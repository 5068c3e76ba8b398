package warehouse

import "sync/atomic"

// health is what the last answers of the warehouse say about it. It is safe for
// concurrent use.
type health struct {
	answered atomic.Bool           // at least once since the start, without an error
	failure  atomic.Pointer[error] // of the last attempt; nil if it succeeded
}

// note records how an attempt went and returns its error.
func (h *health) note(err error) error {
	if err != nil {
		h.failure.Store(&err)
		return err
	}
	h.answered.Store(true)
	h.failure.Store(nil)
	return nil
}

// Answered reports whether the warehouse has answered without an error since the start,
// so that its tables are there.
func (w *Writer) Answered() bool { return w.health.answered.Load() }

// Failing returns why the last attempt to reach the warehouse failed, nil if it succeeded
// or there was none yet.
func (w *Writer) Failing() error {
	if err := w.health.failure.Load(); err != nil {
		return *err
	}
	return nil
}
