package ingest

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/valyala/fasthttp"
)

// Limits of bodies, in bytes.
const (
	// maxKeyless is how large a body may be whose head has no write key: what a browser's
	// beacon may carry. The key is in the body then.
	maxKeyless = 64 << 10
	// maxRatio is how many times its size a compressed body may become, from freeRatio on.
	maxRatio  = 200
	freeRatio = 64 << 10
	firstRead = 16 << 10
)

// encoding is a Content-Encoding.
type encoding uint8

const (
	encodingNone encoding = iota
	encodingGzip
	encodingZstd
	encodingDeflate
	// encodingUnknown is refused with 415 by the head.
	encodingUnknown
)

// encodingOf returns the encoding of a header's value, in any case.
func encodingOf(name string) encoding {
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "", "identity":
		return encodingNone
	case "gzip", "x-gzip":
		return encodingGzip
	case "zstd":
		return encodingZstd
	case "deflate":
		return encodingDeflate
	}
	return encodingUnknown
}

// errOver says that a body is longer than it may be.
var errOver = errors.New("too long")

// readUpTo appends what r has to b, at most limit bytes, and returns errOver when there is
// more. It makes room for first bytes and then for twice as many each time; before it makes
// room it asks hold for the bytes. So a client that announces much and sends nothing holds
// little.
func readUpTo(r io.Reader, b []byte, first, limit int, hold func(n int) *problem) ([]byte, *problem, error) {
	room := len(b)
	for {
		if len(b) == room {
			more := min(max(2*room, first), limit+1)
			if p := hold(more - room); p != nil {
				return b, p, nil
			}
			if room = more; cap(b) < room {
				b = append(make([]byte, 0, room), b...)
			}
		}
		n, err := r.Read(b[len(b):room])
		b = b[:len(b)+n]
		switch {
		case len(b) > limit:
			return b, nil, errOver
		case errors.Is(err, io.EOF):
			return b, nil, nil
		case err != nil:
			return b, nil, err //nolint:wrapcheck // looked at by the caller
		}
	}
}

// read reads the body of a call and decompresses it. What it occupies is held until the caller
// releases it. The result is valid until the decoder reads another body.
func (s *Server) read(ctx *fasthttp.RequestCtx, d *decoder, held *holding, limit int) ([]byte, *problem) {
	stream := ctx.RequestBodyStream()
	if stream == nil {
		return nil, nil
	}
	first := firstRead
	if length, given := announced(ctx.Request.Header.RawHeaders()); given {
		first = min(first, length+1)
	}
	body, refusal, err := readUpTo(stream, d.body[:0], first, limit, held.take)
	d.body = body[:0]
	var network net.Error
	switch {
	case refusal != nil:
		return nil, refusal
	case errors.Is(err, errOver):
		return nil, tooLarge()
	case errors.As(err, &network) && network.Timeout():
		return nil, newProblem(fasthttp.StatusRequestTimeout, "timeout", "the request came too slowly")
	case err != nil:
		return nil, newProblem(fasthttp.StatusBadRequest, "bad_request",
			"the body cannot be read: "+clip(err.Error(), 200))
	}
	// Nothing of this request is left on the connection, so it can be used again.
	ctx.Response.Header.ResetConnectionClose()
	kind := encodingOf(string(ctx.Request.Header.ContentEncoding()))
	if kind == encodingNone || len(body) == 0 {
		return body, nil
	}
	return s.decompress(kind, d, body, held)
}

// decompress undoes the Content-Encoding. What comes out is bounded, also in proportion to
// what came in, so that a small body does not make a large one.
func (s *Server) decompress(kind encoding, d *decoder, body []byte, held *holding) ([]byte, *problem) {
	limit := min(MaxBody, max(maxRatio*len(body), freeRatio))
	plain, refusal, err := d.plainBody[:0], (*problem)(nil), error(nil)
	// zstd is decoded in one go into a room of the right size; the others are streams.
	if kind == encodingZstd {
		if refusal = held.take(limit); refusal == nil {
			if cap(plain) < limit {
				plain = make([]byte, 0, limit)
			}
			// The decoder never writes beyond the room.
			plain, err = s.zstd.DecodeAll(body, plain[:0:limit])
		}
	} else {
		var r io.Reader
		if r, err = inflate(kind, body); err == nil {
			plain, refusal, err = readUpTo(r, plain, firstRead, limit, held.take)
		}
	}
	// The buffer is kept for the next request, also when this one is refused.
	d.plainBody = plain[:0]
	switch {
	case refusal != nil:
		return nil, refusal
	case errors.Is(err, errOver), noRoom(err):
		message := fmt.Sprintf("the body is over %d bytes once it is decompressed", limit)
		return nil, newProblem(fasthttp.StatusRequestEntityTooLarge, codeTooLarge, message,
			FieldError{Path: "body", Code: codeTooLarge, Message: message})
	case err != nil:
		const message = "the body is not what Content-Encoding says"
		return nil, newProblem(fasthttp.StatusBadRequest, codeFormat, message,
			FieldError{Path: "Content-Encoding", Code: codeFormat, Message: message + ": " + clip(err.Error(), 100)})
	}
	return plain, nil
}

// noRoom reports whether the zstd decoder stopped because the room was full. Within a block it
// has no error of its own for that, hence the text.
func noRoom(err error) bool {
	return errors.Is(err, zstd.ErrDecoderSizeExceeded) ||
		err != nil && strings.Contains(err.Error(), "output bigger than max block size")
}

// inflate returns a reader of a gzip or deflate body.
func inflate(kind encoding, body []byte) (io.Reader, error) {
	if kind == encodingGzip {
		return gzip.NewReader(bytes.NewReader(body)) //nolint:wrapcheck // shown to the client as it is
	}
	return zlib.NewReader(bytes.NewReader(body)) //nolint:wrapcheck // as above
}

// zstdWindow is the largest window that a zstd decoder should support (RFC 8878, 8 MiB). A
// stream of unknown length has a large one, however short it turns out.
const zstdWindow = 8 << 20

// newZstd returns a decoder of whole bodies into the room they are given, safe for concurrent
// use.
func newZstd() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(zstdWindow), zstd.WithDecoderConcurrency(0),
		zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		panic("BUG: the options of the zstd decoder are wrong: " + err.Error())
	}
	return d
}
