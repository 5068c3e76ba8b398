package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/stream"
)

// Limits of what comes in, in bytes, calls and brackets. 500 KiB a request and 32 KiB a call
// are those of Segment's API; 2,500 calls of 200 bytes fill a request.
const (
	// MaxBody is in bytes, on the wire and once it is decompressed.
	MaxBody = 500 << 10
	// MaxEvent is in bytes: the JSON of an event's properties, traits and context.
	MaxEvent = 32 << 10
	// MaxBatch is in calls.
	MaxBatch = 2500
	// maxDepth is how deep lists and objects may nest, brackets counted. Whatever reads a
	// value later, in expressions, in ClickHouse or in a channel, may do it by recursion.
	maxDepth = 32
	// maxRawReject is how many bytes of a refused call are kept.
	maxRawReject = 32 << 10
)

// decoder turns bodies into events. It keeps memory between requests and is used by one at a
// time. What it returns, events and rejects, is valid until reset.
type decoder struct {
	parser fastjson.Parser
	// values is at most how many values the parsed body has.
	values    int
	workspace string
	// now is when the request came, in ms since 1970.
	now int64
	// fallback is the message id of a single call that has none.
	fallback string
	// newID makes a message id for a call without one.
	newID func() string
	// broadcasts reports whether an event without a customer is a broadcast; nil: none is.
	broadcasts func(workspace, event string) bool
	// recorded is true for calls of a file: the timestamp is needed and taken as it stands.
	recorded bool

	// known reports whether a customer of that id is known; nil: nobody can tell.
	known func(workspace, id string) (bool, error)
	// failure is why nothing of the request can be taken, found while decoding.
	failure *problem

	// sender is whose key the request has.
	sender sender
	// sources is true when some keys are those of sources.
	sources bool

	events []event.Event
	// merges is how many of the events were made of identify calls, in addition to the call's
	// own.
	merges  int
	rejects []rejected
	// unsaid are calls that are refused while the client is told that they were taken: the
	// reason would tell who is a customer.
	unsaid []rejected
	// arena holds the JSON of the events.
	arena []byte

	// body and plainBody are the buffers of the request's body, as it came and decompressed.
	body, plainBody []byte
}

// rejected is an item of a batch that is not taken: what the client is told, and the record
// that the operator finds.
type rejected struct {
	Index int `json:"index"`
	FieldError
	record stream.Reject
}

// reset forgets the last request, whose events must no longer be used.
func (d *decoder) reset() {
	d.events, d.rejects, d.unsaid, d.arena = d.events[:0], d.rejects[:0], d.unsaid[:0], d.arena[:0]
	d.merges, d.failure, d.fallback = 0, nil, ""
}

// decode reads a call into events and rejects. kind is its type, empty for a batch. A problem
// means that nothing is taken.
func (d *decoder) decode(kind string, root *fastjson.Value) (p *problem) {
	if kind != "" {
		p = d.single(kind, root)
	} else {
		p = d.batch(root)
	}
	if d.failure != nil {
		return d.failure
	}
	return p
}

// parse checks everything about the text, encoding, depth, size and syntax, and parses it. The
// values live until the next parse and alias body.
func (d *decoder) parse(body []byte) (*fastjson.Value, *problem) {
	// bad refuses the body as a whole.
	bad := func(code, message string) (*fastjson.Value, *problem) {
		return nil, newProblem(fasthttp.StatusBadRequest, code, message,
			FieldError{Path: "body", Code: code, Message: message})
	}
	// Some clients write a byte-order mark.
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	if len(body) == 0 {
		return bad("empty_body", "the body is empty; send a JSON object")
	}
	if !utf8.Valid(body) {
		return bad("invalid_utf8", "the body is not valid UTF-8")
	}
	if depth := nesting(body); depth > maxDepth {
		return bad("too_deep", fmt.Sprintf("the body nests deeper than %d", maxDepth))
	}
	// Reading takes memory for each value, so they are counted before.
	if values := valuesIn(body); values > maxValues {
		return nil, tooManyValues(values)
	}
	// The parser alone accepts some texts that are no JSON.
	if err := fastjson.ValidateBytes(body); err != nil {
		return bad("invalid_json", notJSON(body, err))
	}
	root, err := d.parser.ParseBytes(body)
	if err != nil {
		return bad("invalid_json", notJSON(body, err))
	}
	if root.Type() != fastjson.TypeObject {
		return bad("not_an_object", "the body must be a JSON object, not "+typeName(root))
	}
	return root, nil
}

// notJSON says where a body is not JSON, and what is wrong there. err is the error of fastjson,
// which has the rest of the text in place of a position; it counts where encoding/json takes the
// body.
func notJSON(body []byte, err error) string {
	var value json.RawMessage
	var syntax *json.SyntaxError
	if !errors.As(json.Unmarshal(body, &value), &syntax) {
		return "the body is not valid JSON: " + clip(err.Error(), 200)
	}
	// The offset counts the bytes through the one that does not fit.
	before := body[:max(0, min(int(syntax.Offset)-1, len(body)))]
	where := fmt.Sprintf("byte %d", syntax.Offset)
	if line := bytes.LastIndexByte(before, '\n') + 1; line > 0 {
		where = fmt.Sprintf("line %d, column %d (%s)", bytes.Count(before, []byte("\n"))+1,
			utf8.RuneCount(before[line:])+1, where)
	}
	return "the body is not valid JSON: " + where + ": " + syntax.Error()
}

// nesting returns the deepest nesting of brackets outside of texts. It is counted before
// parsing, because the parser recurses.
func nesting(body []byte) int {
	depth, deepest, inText := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}

// single reads a body that is one call. A call that is wrong is the request's problem.
func (d *decoder) single(kind string, root *fastjson.Value) *problem {
	i := item{d: d, v: root, kind: kind, fallback: d.fallback, sentAt: root.Get("sentAt")}
	e, wrong := i.event()
	if wrong == nil {
		d.add(&i, e)
		return nil
	}
	if i.unsaid {
		d.unsaid = append(d.unsaid, i.refused(0, wrong))
		return nil
	}
	// Most of what can be wrong is the form of the call; the others have statuses of their
	// own.
	status := fasthttp.StatusBadRequest
	switch wrong.Code {
	case codeTooLarge:
		status = fasthttp.StatusRequestEntityTooLarge
	case codeKnown, codeConsent:
		status = fasthttp.StatusUnprocessableEntity
	case codeForbidden:
		status = fasthttp.StatusForbidden
	}
	return newProblem(status, wrong.Code, wrong.Path+": "+wrong.Message, *wrong)
}

// batch reads a body with a list of calls. A call that is wrong is rejected by itself, and the
// others are taken.
func (d *decoder) batch(root *fastjson.Value) *problem {
	list := root.Get("batch")
	if list == nil || list.Type() != fastjson.TypeArray {
		wrong := FieldError{Path: "batch", Code: codeMissing, Message: "a list of calls is needed"}
		if list != nil {
			wrong.Code, wrong.Message = codeType, "must be a list, not "+typeName(list)
		}
		return newProblem(fasthttp.StatusBadRequest, wrong.Code, "batch: "+wrong.Message, wrong)
	}
	// What is wrong around the calls concerns all of them.
	if wrong := d.plainAround(root); wrong != nil {
		return newProblem(fasthttp.StatusBadRequest, wrong.Code, wrong.Path+": "+wrong.Message, *wrong)
	}
	items := list.GetArray()
	if len(items) > MaxBatch {
		wrong := FieldError{
			Path: "batch", Code: codeTooLarge,
			Message: fmt.Sprintf("%d calls; at most %d are allowed", len(items), MaxBatch),
		}
		return newProblem(fasthttp.StatusRequestEntityTooLarge, wrong.Code, "batch: "+wrong.Message, wrong)
	}
	sentAt, context := root.Get("sentAt"), root.Get("context")
	for index, v := range items {
		i := item{d: d, v: v, context: context, sentAt: sentAt}
		e, wrong := i.event()
		if wrong == nil {
			d.add(&i, e)
			continue
		}
		if i.unsaid {
			d.unsaid = append(d.unsaid, i.refused(index, wrong))
		} else {
			d.rejects = append(d.rejects, i.refused(index, wrong))
		}
	}
	return nil
}

// refused returns the call as one that is not taken, with its text for the operator, without
// the key that browsers put there.
func (i *item) refused(index int, wrong *FieldError) rejected {
	if i.v.Type() == fastjson.TypeObject {
		i.v.Del("writeKey") // where browsers put it
	}
	return rejected{Index: index, FieldError: *wrong, record: stream.Reject{
		Workspace: i.d.workspace, Customer: clip(i.customer, maxName), Field: wrong.Path, Code: wrong.Code,
		Message: i.d.said(wrong), Raw: clip(string(i.v.MarshalTo(nil)), maxRawReject),
	}}
}

// plainAround checks what a batch has around its calls: keys that are there twice, and the
// context that its calls share.
func (d *decoder) plainAround(root *fastjson.Value) *FieldError {
	wrong := d.twice(root.GetObject())
	if context := root.Get("context"); wrong == nil && context != nil {
		if wrong = d.plain(context); wrong != nil {
			wrong = wrong.within(".context")
		}
	}
	if wrong != nil {
		wrong.Path = strings.TrimPrefix(wrong.Path, ".")
	}
	return wrong
}

// typeName returns the type of a value for error messages.
func typeName(v *fastjson.Value) string {
	switch v.Type() {
	case fastjson.TypeObject:
		return "an object"
	case fastjson.TypeArray:
		return "a list"
	case fastjson.TypeString:
		return "a text"
	case fastjson.TypeNumber:
		return "a number"
	case fastjson.TypeTrue, fastjson.TypeFalse:
		return "a boolean"
	default:
		return "null"
	}
}

// clip shortens a text to n bytes at most, at a rune boundary.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
