package liquid

import "encoding/base64"

// filter is a filter of the language.
type filter struct {
	// least and most are the numbers of arguments that it takes.
	least, most int
	// apply returns the filtered value. It charges the run's budget before it makes
	// anything that grows with the input, and ends the rendering by exceed or fail.
	apply func(r *run, v any, args []any) any
	// check returns what is wrong with argument i (from 0) where the template writes its
	// value out; nil where nothing can be wrong.
	check func(i int, v any) string
}

// defaultFilter is the name of the filter that decides whether a value may be missing. It
// is evaluated by run.fallback and not by an apply function.
const defaultFilter = "default"

// filters has the filters of the language, by name: those of Liquid, and money.
//
//nudge:constant read only
var filters = map[string]filter{
	defaultFilter: {most: 1}, // see run.fallback

	"append":                 {1, 1, appendText, nil},
	"base64_decode":          text0(base64Decode(base64.StdEncoding)),
	"base64_encode":          text0(base64Encode(base64.StdEncoding)),
	"base64_url_safe_decode": text0(base64Decode(base64.URLEncoding)),
	"base64_url_safe_encode": text0(base64Encode(base64.URLEncoding)),
	"capitalize":             text0(capitalize),
	"downcase":               text0(downcase),
	"escape":                 text0(escape),
	"escape_once":            text0(escapeOnce),
	"lstrip":                 text0(lstrip),
	"newline_to_br":          text0(newlineToBreak),
	"prepend":                {1, 1, prependText, nil},
	"remove":                 {1, 1, remove(everywhere), nil},
	"remove_first":           {1, 1, remove(first), nil},
	"remove_last":            {1, 1, remove(last), nil},
	"replace":                {1, 2, replace(everywhere), nil},
	"replace_first":          {1, 2, replace(first), nil},
	"replace_last":           {1, 2, replace(last), nil},
	"rstrip":                 text0(rstrip),
	"split":                  {1, 1, split, nil},
	"strip":                  text0(strip),
	"strip_html":             text0(stripHTML),
	"strip_newlines":         text0(stripNewlines),
	"truncate":               {0, 2, truncate, nil},
	"truncatewords":          {0, 2, truncateWords, nil},
	"upcase":                 text0(upcase),
	"url_decode":             text0(urlDecode),
	"url_encode":             text0(urlEncode),

	"compact":      {0, 1, compact, nil},
	"concat":       {1, 1, concat, nil},
	"first":        {0, 0, firstOf, nil},
	"join":         {0, 1, join, nil},
	"last":         {0, 0, lastOf, nil},
	"map":          {1, 1, mapMembers, nil},
	"reject":       {1, 2, selectBy(false), nil},
	"reverse":      {0, 0, reverse, nil},
	"size":         {0, 0, size, nil},
	"slice":        {1, 2, slice, nil},
	"sort":         {0, 1, sortBy(false), nil},
	"sort_natural": {0, 1, sortBy(true), nil},
	"sum":          {0, 1, sum, nil},
	"uniq":         {0, 1, uniq, nil},
	"where":        {1, 2, selectBy(true), nil},

	"abs":        {0, 0, abs, nil},
	"at_least":   {1, 1, atLeast, nil},
	"at_most":    {1, 1, atMost, nil},
	"ceil":       {0, 0, ceil, nil},
	"divided_by": {1, 1, dividedBy, nil},
	"floor":      {0, 0, floor, nil},
	"minus":      {1, 1, minus, nil},
	"modulo":     {1, 1, modulo, nil},
	"money":      {0, 1, money, checkCurrency},
	"plus":       {1, 1, plus, nil},
	"round":      {0, 1, round, nil},
	"times":      {1, 1, times, nil},

	"date":    {0, 1, date, nil},
	"inspect": {0, 0, toJSON, nil},
	"json":    {0, 0, toJSON, nil},
	"type":    {0, 0, func(_ *run, v any, _ []any) any { return kindOf(v) }, nil},
}

// text0 returns a filter without arguments that takes its value as text.
func text0(apply func(r *run, s string) any) filter {
	return filter{apply: func(r *run, v any, _ []any) any { return apply(r, r.text(v)) }}
}

// toJSON is the filter "json": the value as JSON.
func toJSON(r *run, v any, _ []any) any { return r.json(v) }

// argument returns argument i, or otherwise where it is not given.
func argument(args []any, i int, otherwise any) any {
	if i < len(args) {
		return args[i]
	}
	return otherwise
}
