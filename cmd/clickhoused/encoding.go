package main

import (
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// maxWindow bounds the memory of one zstd decoder, in bytes: a small body can ask for a large
// one.
const maxWindow = 64 << 20

// encodings are the Content-Encodings that are spoken, the preferred one first.
//
//nudge:constant read only
var encodings = []string{"zstd", "lz4", "gzip", "br", "deflate"}

// decoding returns a reader that unpacks a body with a Content-Encoding. An unknown encoding
// is refused with the list of those that are known. The caller closes the reader.
func decoding(encoding string, from io.Reader) (io.ReadCloser, error) {
	var to io.ReadCloser
	var err error
	switch strings.ToLower(encoding) {
	case "", "identity":
		return io.NopCloser(from), nil
	case "gzip", "x-gzip":
		to, err = gzip.NewReader(from)
	// HTTP means zlib by deflate, and so do ClickHouse's clients.
	case "deflate":
		to, err = zlib.NewReader(from)
	case "zstd":
		var decoder *zstd.Decoder
		decoder, err = zstd.NewReader(from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err == nil {
			to = decoder.IOReadCloser()
		}
	case "lz4":
		to = io.NopCloser(lz4.NewReader(from))
	case "br":
		to = io.NopCloser(brotli.NewReader(from))
	default:
		return nil, exception(48, "NOT_IMPLEMENTED", fmt.Sprintf("Content-Encoding: %s is not implemented: use one of "+
			"%s, or none", headerSafe(encoding), strings.Join(encodings, ", ")))
	}
	if err != nil {
		return nil, exception(117, "INCORRECT_DATA", fmt.Sprintf("The body is not %s, as Content-Encoding says: %v",
			encoding, err))
	}
	return to, nil
}

// encodingFor chooses the Content-Encoding of an answer: one that the client accepts, when it
// asks for compression with enable_http_compression=1, as ClickHouse wants it. "" is none.
func encodingFor(r *http.Request) string {
	if !isTrue(r.URL.Query().Get("enable_http_compression")) {
		return ""
	}
	accepted := map[string]bool{}
	for _, part := range strings.Split(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		// "q=0" means: not this one.
		q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
		accepted[strings.ToLower(strings.TrimSpace(name))] = err != nil || q > 0
	}
	for _, name := range encodings {
		if accepted[name] {
			return name
		}
	}
	return ""
}

// encoder returns a writer that packs an answer, quickly rather than small; it must be closed.
func encoder(encoding string, to io.Writer) (io.WriteCloser, error) {
	switch encoding {
	case "gzip":
		return gzip.NewWriterLevel(to, gzip.BestSpeed)
	case "deflate":
		return zlib.NewWriterLevel(to, zlib.BestSpeed)
	case "zstd":
		return zstd.NewWriter(to, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	case "lz4":
		return lz4.NewWriter(to), nil
	case "br":
		return brotli.NewWriterLevel(to, brotli.BestSpeed), nil
	}
	return nil, fmt.Errorf("no encoder for %q", encoding)
}
