package ingest

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/stream"
)

// Limits of what comes in (design R15).
const (
	MaxBody      = 500 << 10
	MaxEvent     = 32 << 10
	MaxBatch     = 2500
	maxDepth     = 32
	maxRawReject = 32 << 10
)

// decoder turns bodies into events. It keeps memory between requests and is used
// by one at a time.
type decoder struct {
	parser     fastjson.Parser
	values     int // at most, of the body that is parsed
	workspace  string
	now        int64  // when the request came, ms
	fallback   string // message id of a single call without one
	newID      func() string
	broadcasts func(workspace, event string) bool // nil: there are none
	recorded   bool                               // the timestamp is needed and taken as it stands

	// known says whether a customer of that id is known; nil: nobody can tell.
	known   func(workspace, id string) (bool, error)
	failure *problem // why nothing can be taken, found while decoding

	sender  sender // whose key the request has
	sources bool   // whether some keys are those of sources

	events  []event.Event
	merges  int // of the events, made of identify calls
	rejects []rejected
	unsaid  []rejected // refused, and the client does not learn it
	arena   []byte     // holds the events' JSON

	body, plainBody []byte // of the request, as it came and decompressed; kept for the next
}

// rejected is an item of a batch that is not taken.
type rejected struct {
	Index int `json:"index"`
	FieldError
	record stream.Reject
}

// reset forgets the last request.
func (d *decoder) reset() {
	d.events, d.rejects, d.unsaid, d.arena = d.events[:0], d.rejects[:0], d.unsaid[:0], d.arena[:0]
	d.merges, d.failure, d.fallback = 0, nil, ""
}

// decode reads a call. kind is its type, empty for a batch.
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

// parse checks everything about the text: encoding, depth, syntax.
func (d *decoder) parse(body []byte) (*fastjson.Value, *problem) {
	bad := func(code, message string) (*fastjson.Value, *problem) {
		return nil, newProblem(fasthttp.StatusBadRequest, code, message,
			FieldError{Path: "body", Code: code, Message: message})
	}
	body = bytes.TrimPrefix(body, []byte("\ufeff")) // some clients write a byte-order mark
	if len(body) == 0 {
		return bad("empty_body", "the body is empty; send a JSON object")
	}
	if !utf8.Valid(body) {
		return bad("invalid_utf8", "the body is not valid UTF-8")
	}
	if depth := nesting(body); depth > maxDepth {
		return bad("too_deep", fmt.Sprintf("the body nests deeper than %d", maxDepth))
	}
	if values := valuesIn(body); values > maxValues {
		return nil, tooManyValues(values)
	}
	if err := fastjson.ValidateBytes(body); err != nil {
		return bad("invalid_json", "the body is not valid JSON: "+clip(err.Error(), 200))
	}
	root, err := d.parser.ParseBytes(body)
	if err != nil {
		return bad("invalid_json", "the body is not valid JSON: "+clip(err.Error(), 200))
	}
	if root.Type() != fastjson.TypeObject {
		return bad("not_an_object", "the body must be a JSON object, not "+typeName(root))
	}
	return root, nil
}

// nesting is the deepest nesting of brackets outside of texts.
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

func (d *decoder) batch(root *fastjson.Value) *problem {
	list := root.Get("batch")
	if list == nil || list.Type() != fastjson.TypeArray {
		wrong := FieldError{Path: "batch", Code: codeMissing, Message: "a list of calls is needed"}
		if list != nil {
			wrong.Code, wrong.Message = codeType, "must be a list, not "+typeName(list)
		}
		return newProblem(fasthttp.StatusBadRequest, wrong.Code, "batch: "+wrong.Message, wrong)
	}
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

// refused is the call as one that is not taken.
func (i *item) refused(index int, wrong *FieldError) rejected {
	if i.v.Type() == fastjson.TypeObject {
		i.v.Del("writeKey") // where browsers put it
	}
	return rejected{Index: index, FieldError: *wrong, record: stream.Reject{
		Workspace: i.d.workspace, Customer: clip(i.customer, maxName), Field: wrong.Path, Code: wrong.Code,
		Message: i.d.said(wrong), Raw: clip(string(i.v.MarshalTo(nil)), maxRawReject),
	}}
}

// plainAround looks at what a batch has around its calls.
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
