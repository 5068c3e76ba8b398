package chdb

import (
	"time"
	"unsafe"
)

// Result is what a statement returned, copied into Go memory.
type Result struct {
	Data         []byte // the rows in the asked format
	RowsRead     uint64
	BytesRead    uint64
	RowsWritten  uint64
	BytesWritten uint64
	Elapsed      time.Duration
}

// take copies a result out of the engine and frees it. r is nil where the engine failed
// without a result.
func (l *library) take(r handle) (Result, error) {
	if r == nil {
		return Result{}, &Exception{Text: "the engine gave no result"}
	}
	defer l.resultDestroy(r)
	if text := goString(l.resultError(r)); text != "" {
		return Result{}, newException(text)
	}
	out := Result{
		RowsRead:     l.rowsRead(r),
		BytesRead:    l.bytesRead(r),
		RowsWritten:  l.rowsWritten(r),
		BytesWritten: l.bytesWritten(r),
		Elapsed:      time.Duration(l.elapsed(r) * float64(time.Second)),
	}
	if n := l.resultLength(r); n > 0 {
		out.Data = append([]byte(nil), unsafe.Slice(l.resultBuffer(r), n)...)
	}
	return out, nil
}
