package main

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/nudge-engine/nudge/internal/chdb"
)

// writeResult answers with the rows, packed as the client asked: in ClickHouse's own blocks,
// with a Content-Encoding, or not at all. Errors of writing are the client's, who went away.
func (g *gateway) writeResult(w http.ResponseWriter, r *http.Request, req *request, result chdb.Result) {
	format := req.outputFormat()
	g.header(w, req, format)
	h := w.Header()
	h.Set("X-ClickHouse-Summary", summary(result))
	h.Set("Content-Type", contentType(format))
	encoding := encodingFor(r)
	switch {
	// The client unpacks it by itself; a Content-Encoding would be undone by its HTTP library.
	case req.compress:
		h.Set("Content-Type", "application/octet-stream")
		w.WriteHeader(http.StatusOK)
		_ = writeBlocks(w, result.Data)
	// An empty result is sent as it is: a compressed nothing has a length.
	case encoding != "" && len(result.Data) > 0:
		h.Set("Content-Encoding", encoding)
		h.Set("Vary", "Accept-Encoding")
		w.WriteHeader(http.StatusOK)
		if to, err := encoder(encoding, w); err == nil {
			_, _ = to.Write(result.Data)
			_ = to.Close()
		}
	default:
		// Always: clickhouse-go takes a length of 0 as a result without rows.
		h.Set("Content-Length", strconv.Itoa(len(result.Data)))
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(result.Data)
	}
}

// header sets the headers of every answer to a statement. req is nil for a request that could
// not be read, format empty for an error.
func (g *gateway) header(w http.ResponseWriter, req *request, format string) {
	h := w.Header()
	h.Set("X-ClickHouse-Server-Display-Name", g.hello.displayName)
	h.Set("X-ClickHouse-Timezone", g.hello.timezone)
	if req != nil {
		h.Set("X-ClickHouse-Query-Id", headerSafe(req.queryID))
	}
	if format != "" {
		h.Set("X-ClickHouse-Format", headerSafe(format))
	}
}

// headerSafe drops control characters, which would break a header or an error message; the
// texts come from outside.
func headerSafe(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}

// summary returns the value of X-ClickHouse-Summary with the fields that clients read; numbers
// are strings there.
func summary(r chdb.Result) string {
	return fmt.Sprintf(`{"read_rows":"%d","read_bytes":"%d","written_rows":"%d","written_bytes":"%d",`+
		`"result_bytes":"%d","elapsed_ns":"%d"}`,
		r.RowsRead, r.BytesRead, r.RowsWritten, r.BytesWritten, len(r.Data), r.Elapsed.Nanoseconds())
}

// contentType returns the type for a format: that of the common text formats, and bytes for
// the rest.
func contentType(format string) string {
	switch {
	case strings.HasPrefix(format, "TabSeparated"), strings.HasPrefix(format, "TSV"):
		return "text/tab-separated-values; charset=UTF-8"
	case strings.HasPrefix(format, "CSV"):
		return "text/csv; charset=UTF-8"
	case strings.HasPrefix(format, "JSON") && strings.Contains(format, "EachRow"):
		return "application/x-ndjson; charset=UTF-8"
	case strings.HasPrefix(format, "JSON"):
		return "application/json; charset=UTF-8"
	case strings.HasPrefix(format, "Pretty"), strings.HasPrefix(format, "Vertical"),
		strings.HasPrefix(format, "Values"), strings.HasPrefix(format, "Markdown"):
		return "text/plain; charset=UTF-8"
	}
	return "application/octet-stream"
}

// writeText answers with a text.
func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}
