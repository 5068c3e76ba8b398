package ingest

import (
	"fmt"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fastjson"
)

// Memory of parsed bodies. A parsed value takes far more room than its text: a body of 500 KiB
// that is a list of zeros becomes 100 MiB. So values are counted before they are parsed.
const (
	// maxValues is how many values a body may have. Calls as clients write them have a third
	// of that in 500 KiB.
	maxValues = 128 << 10
	// valueBytes is the most that a parsed value takes, with what the parser left behind while
	// its list of values grew.
	valueBytes = 512
	// parserValues is how many values a parser may have had that is kept for the next body.
	parserValues = 4 << 10

	// Bytes of parsed bodies at a time, in all and of one client address, with and without a
	// write key in the head.
	treeBytes             = 256 << 20
	treeBytesPerAddress   = 128 << 20
	keylessTrees          = 64 << 20 // of those that have no write key in the head
	keylessTreePerAddress = 32 << 20
)

// parse parses the body of a call. What the values occupy is held until the caller releases
// it, which it does as soon as the events are read.
func (s *Server) parse(d *decoder, body []byte, held *holding) (*fastjson.Value, *problem) {
	d.values = valuesIn(body)
	// A body over maxValues is refused by parse; only what may be parsed is held.
	if refusal := held.take(min(d.values, maxValues) * valueBytes); refusal != nil {
		return nil, refusal
	}
	return d.parse(body)
}

// forget gives up the parsed values. A parser that has had many is dropped, since it keeps
// their memory. Texts of events that lie in the body stay valid.
func (d *decoder) forget() {
	if d.values > parserValues {
		d.parser = fastjson.Parser{}
	}
	d.values = 0
}

// valuesIn returns an upper bound of the number of values in a JSON text, without parsing it:
// every value but the first comes after a comma or an opening bracket.
func valuesIn(body []byte) int {
	values, inText := 1, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == ',' || c == '{' || c == '[':
			values++
		}
	}
	return values
}

// tooManyValues returns the answer to a body with more than maxValues, a 413.
func tooManyValues(values int) *problem {
	message := fmt.Sprintf("the body has up to %d values; at most %d are allowed: send fewer calls at a time", values,
		maxValues)
	return newProblem(fasthttp.StatusRequestEntityTooLarge, codeTooManyValues, message,
		FieldError{Path: "body", Code: codeTooManyValues, Message: message})
}
