package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// readBody reads the request's body into memory, at most limit bytes both on the wire and
// unpacked, so that a small packed body cannot fill the memory. It is unpacked as
// Content-Encoding says, and then, with decompress=1, from ClickHouse's own compressed blocks.
// A body that is too large is a *http.MaxBytesError.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	wire := http.MaxBytesReader(w, r.Body, limit)
	from, err := decoding(r.Header.Get("Content-Encoding"), wire)
	if err != nil {
		return nil, err
	}
	defer func() { _ = from.Close() }()
	// One byte more than allowed, to tell full from too much.
	data := io.LimitReader(from, limit+1)
	if isTrue(r.URL.Query().Get("decompress")) {
		data = io.LimitReader(newBlockReader(data, limit), limit+1)
	}
	var buf bytes.Buffer
	// A length that is announced truly saves copies; a false one costs at most limit.
	if hint := r.ContentLength; hint > 0 && hint <= limit {
		// With room for the last, empty read it does not have to grow again.
		buf.Grow(int(hint) + bytes.MinRead)
	}
	if _, err := buf.ReadFrom(data); err != nil {
		return nil, fmt.Errorf("cannot read the request body: %w", err)
	}
	if int64(buf.Len()) > limit {
		return nil, &http.MaxBytesError{Limit: limit}
	}
	return buf.Bytes(), nil
}
