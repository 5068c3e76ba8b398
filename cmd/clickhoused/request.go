package main

import (
	"crypto/rand"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/internal/chdb"
)

// request is one statement as it was asked over HTTP. It belongs to the goroutine of its
// request.
type request struct {
	statement
	// body is the data of an INSERT, after the part that stands inline in the statement.
	body []byte
	// params are the values of placeholders in the text ({name:Type}); settings are in the
	// order in which they apply, so that the last of one name wins.
	params   []chdb.Param
	settings []chdb.Setting
	database string
	// format is the format of the result, unless the statement names one.
	format string
	// queryID is the client's, or a random one; it is in the answer.
	queryID string
	// protocol is client_protocol_version, which clickhouse-go sends.
	protocol string
	session  sessionAsked
	// readOnly is true in a session whose request asked for readonly: the statement must be
	// one that reads.
	readOnly bool
	// compress asks for the answer in blocks of ClickHouse's own compression.
	compress bool
}

// ignored are the URL parameters of the interface that are no settings: they are read
// elsewhere, or change nothing here. Every other parameter is a setting.
//
//nudge:constant read only
var ignored = []string{
	"query", "query_id", "database", "default_format", "client_protocol_version",
	"user", "password", "quota_key",
	"session_id", "session_timeout", "session_check", "close_session",
	"stacktrace", "buffer_size", "wait_end_of_query", "compress", "decompress",
}

// readRequest reads what is asked from the URL, the headers and the body. A GET only reads: it
// gets readonly, unless it asks for that itself. Errors have the codes of ClickHouse.
func readRequest(r *http.Request, body []byte) (*request, error) {
	// A semicolon is part of SQL to ClickHouse, and an error to net/url.
	values, err := url.ParseQuery(strings.ReplaceAll(r.URL.RawQuery, ";", "%3B"))
	if err != nil {
		return nil, exception(36, "BAD_ARGUMENTS", fmt.Sprintf("The URL's parameters cannot be read: %v", err))
	}
	// Tables that come with the request would need names and types to be checked.
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media == "multipart/form-data" {
		return nil, exception(48, "NOT_IMPLEMENTED", "External tables (multipart/form-data) are not implemented: "+
			"send the query and its data in the body")
	}
	req := &request{
		database: either(values.Get("database"), r.Header.Get("X-ClickHouse-Database")),
		format:   either(values.Get("default_format"), r.Header.Get("X-ClickHouse-Format"), "TabSeparated"),
		queryID:  either(values.Get("query_id"), newQueryID()),
		protocol: values.Get("client_protocol_version"),
		compress: isTrue(values.Get("compress")),
	}
	if req.session, err = readSession(values.Get); err != nil {
		return nil, err
	}
	if err := req.readValues(values); err != nil {
		return nil, err
	}
	if r.Method == http.MethodGet && !slices.ContainsFunc(req.settings, restricts) {
		req.settings = append(req.settings, chdb.Setting{Name: "readonly", Value: "1"})
	}
	return req, req.readStatement(values.Get("query"), body)
}

// restricts reports whether a setting is a readonly at least as strict as GET needs it.
// Appended after the client's settings, ours wins over any other value.
func restricts(s chdb.Setting) bool {
	return s.Name == "readonly" && (s.Value == "1" || s.Value == "2")
}

// readValues sorts the URL's parameters into parameters of the query and settings. Of a
// repeated one the last counts.
func (req *request) readValues(values url.Values) error {
	for name, all := range values {
		value := all[len(all)-1]
		param, isParam := strings.CutPrefix(name, "param_")
		switch {
		// param_NAME is a value for {NAME:Type} in the text; the engine checks its type.
		case isParam:
			req.params = append(req.params, chdb.Param{Name: param, Value: value})
		case slices.Contains(ignored, name):
		case name == "role":
			return exception(48, "NOT_IMPLEMENTED", "Roles are not implemented here")
		default:
			req.settings = append(req.settings, chdb.Setting{Name: name, Value: value})
		}
	}
	return nil
}

// readStatement joins the query parameter and the body as ClickHouse does: the text is the
// parameter, a line end, and the body. The body is joined only where it must be, because it
// may be 256 MiB of data: for an INSERT whose head is whole in the parameter it stays apart.
func (req *request) readStatement(query string, body []byte) (err error) {
	if strings.TrimSpace(query) == "" {
		req.statement, err = parseStatement(string(body))
		return err
	}
	// With a body, the line end after the parameter belongs to the FORMAT
	// clause and not to the data.
	text := query
	if len(body) > 0 {
		text += "\n"
	}
	req.statement, err = parseStatement(text)
	switch {
	case err == nil && req.carriesData:
		req.body = body
		return nil
	case len(body) == 0:
		return err
	}
	// The head of an INSERT may go on in the body, and a query may be in both.
	req.statement, err = parseStatement(text + string(body))
	return err
}

// data returns what an INSERT inserts.
func (req *request) data() []byte {
	if req.inline == "" {
		return req.body
	}
	return slices.Concat([]byte(req.inline), req.body)
}

// outputFormat returns the format of the result.
func (req *request) outputFormat() string {
	if req.statement.format != "" && !req.carriesData {
		return req.statement.format
	}
	return req.format
}

// isTrue reports whether a flag in a URL is on.
func isTrue(value string) bool { return value == "1" || strings.EqualFold(value, "true") }

// either returns the first value that is not empty.
func either(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// newQueryID returns a random UUID, version 4.
func newQueryID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
