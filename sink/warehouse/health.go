package warehouse

import "sync/atomic"

// health is what the last answers of the warehouse say about it.
type health struct {
	answered atomic.Bool
	failure  atomic.Pointer[error] // of the last attempt; nil when it succeeded
}

// note keeps how an attempt went and gives its error back.
func (h *health) note(err error) error {
	if err != nil {
		h.failure.Store(&err)
		return err
	}
	h.answered.Store(true)
	h.failure.Store(nil)
	return nil
}

// Answered says whether the warehouse has answered without an error since the start: its
// tables are there.
func (w *Writer) Answered() bool { return w.health.answered.Load() }

// Failing is why the last attempt to reach the warehouse failed; nil when it succeeded, or
// when there was none yet.
func (w *Writer) Failing() error {
	if err := w.health.failure.Load(); err != nil {
		return *err
	}
	return nil
}
