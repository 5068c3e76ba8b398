package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
)

// readBody reads the request's body, at most limit bytes on the wire and
// unpacked.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	wire := http.MaxBytesReader(w, r.Body, limit)
	var from io.Reader = wire
	hint := r.ContentLength
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip":
		gz, err := gzip.NewReader(wire)
		if err != nil {
			return nil, exception(117, "INCORRECT_DATA", fmt.Sprintf("The body is not gzip, as Content-Encoding "+
				"says: %v", err))
		}
		// One byte more than allowed, to tell full from too much.
		from, hint = io.LimitReader(gz, limit+1), 0
	default:
		return nil, exception(48, "NOT_IMPLEMENTED", fmt.Sprintf("Content-Encoding: %s is not implemented: use gzip "+
			"or none", encoding))
	}
	var buf bytes.Buffer
	if hint > 0 && hint <= limit {
		buf.Grow(int(hint) + bytes.MinRead) // read without growing again
	}
	if _, err := buf.ReadFrom(from); err != nil {
		return nil, fmt.Errorf("cannot read the request body: %w", err)
	}
	if int64(buf.Len()) > limit {
		return nil, &http.MaxBytesError{Limit: limit}
	}
	return buf.Bytes(), nil
}
