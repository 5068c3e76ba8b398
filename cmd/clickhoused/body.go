package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// readBody reads the request's body, at most limit bytes on the wire and unpacked. It is
// unpacked as Content-Encoding says, and then, with decompress=1, from ClickHouse's own
// compressed blocks.
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
	if hint := r.ContentLength; hint > 0 && hint <= limit {
		buf.Grow(int(hint) + bytes.MinRead) // read without growing again
	}
	if _, err := buf.ReadFrom(data); err != nil {
		return nil, fmt.Errorf("cannot read the request body: %w", err)
	}
	if int64(buf.Len()) > limit {
		return nil, &http.MaxBytesError{Limit: limit}
	}
	return buf.Bytes(), nil
}
