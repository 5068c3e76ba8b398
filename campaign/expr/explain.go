package expr

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"

	"github.com/nudge-engine/nudge/campaign/nearest"
)

// Limits of what the error messages about one expression show: more would hide what helps.
const (
	// maxIssues is the greatest number of errors that are shown; those after the third mostly
	// follow from the first ones.
	maxIssues = 3
	// maxQuoted is the greatest number of characters of a pattern that a message quotes.
	maxQuoted = 160
)

// exprErrors says in plain words what is wrong with an expression that CEL refused. What people
// write who know other languages comes first, since CEL's own messages about it name symptoms: "a =
// 1" is a token recognition error to CEL, and "write == to compare, not =" here. At most maxIssues
// errors are returned, in the order of their places.
func (l *Language) exprErrors(source string, issues *cel.Issues) Errors {
	if found := exprMistakes(source); len(found) > 0 {
		return found[:min(len(found), maxIssues)]
	}
	var all Errors
	for _, e := range issues.Errors() {
		x := exprIssue{
			lang: l, source: source, message: e.Message, at: byteAt(source, e.Location.Line(), e.Location.Column()),
		}
		message := x.explain()
		if message == "" || slices.ContainsFunc(all, func(other Error) bool { return other.Offset == x.at }) {
			continue
		}
		all = append(all, Error{x.at, message})
		if len(all) == maxIssues || strings.HasPrefix(e.Message, "Syntax error") {
			break // what follows an error of syntax comes of it
		}
	}
	if len(all) == 0 {
		all = Errors{{0, issues.Err().Error()}}
	}
	slices.SortStableFunc(all, func(a, b Error) int { return a.Offset - b.Offset })
	return all
}

// wrongAt returns the byte offset in source to which an error of node x points. For a call that is
// its last argument: the pattern of "matches", the window of a counter.
func wrongAt(source string, checked *celast.AST, x celast.Expr) int {
	id := x.ID()
	if x.Kind() == celast.CallKind {
		if args := x.AsCall().Args(); len(args) > 0 {
			id = args[len(args)-1].ID()
		}
	}
	p := checked.SourceInfo().GetStartLocation(id)
	return byteAt(source, p.Line(), p.Column())
}

// exprIssue is one error that CEL found, on its way to words that a marketer understands.
type exprIssue struct {
	lang   *Language
	source string
	// message is the text of CEL, which the patterns below take apart.
	message string
	at      int // byte offset in source
}

var (
	// The texts of errors of cel-go's checker and parser. They are not part of its contract: a text
	// that changed falls through to CEL's own words, and the tests of explain notice.
	undeclaredPattern = regexp.MustCompile(`^undeclared reference to '([^']*)'`)
	undefinedPattern  = regexp.MustCompile(`^undefined field '([^']*)'`)
	overloadPattern   = regexp.MustCompile(`(?s)^found no matching overload for '([^']*)' applied to '(.*)'$`)
	selectionPattern  = regexp.MustCompile(`^type '([^']*)' does not support field selection`)
	expectedPattern   = regexp.MustCompile(`^expected type '([^']*)' but found '([^']*)'`)
	rangePattern      = regexp.MustCompile(`^expression of type '([^']*)' cannot be range`)
	// inputPattern finds the token at which the parser stopped.
	inputPattern = regexp.MustCompile(`(?:input|at) '([^']*)'`)
	// memberPattern splits the operand types of a method: "string.(int, int)" -> "string", "int,
	// int".
	memberPattern = regexp.MustCompile(`^(.*?)\.\((.*)\)$`)
)

// explain returns the error in plain words, and moves x.at to what must be changed. A message that
// no pattern fits is returned as CEL wrote it.
func (x *exprIssue) explain() string {
	if m := undeclaredPattern.FindStringSubmatch(x.message); m != nil {
		return x.undeclared(strings.TrimPrefix(m[1], "."))
	}
	if m := undefinedPattern.FindStringSubmatch(x.message); m != nil {
		return x.undefined(m[1])
	}
	if m := overloadPattern.FindStringSubmatch(x.message); m != nil {
		return x.overload(m[1], m[2])
	}
	if m := selectionPattern.FindStringSubmatch(x.message); m != nil {
		return fmt.Sprintf("this is %s, which has no fields", PlainType(m[1]))
	}
	if m := expectedPattern.FindStringSubmatch(x.message); m != nil {
		return fmt.Sprintf("this is %s where %s is needed", PlainType(m[2]), PlainType(m[1]))
	}
	if m := rangePattern.FindStringSubmatch(x.message); m != nil {
		return fmt.Sprintf("this is %s, and no list whose elements could be looked at", PlainType(m[1]))
	}
	switch {
	case strings.Contains(x.message, "has() macro"):
		return "has() asks for a field: write for example has(event.properties.total)"
	case strings.Contains(x.message, "recursion"), strings.Contains(x.message, "size exceeds"):
		return fmt.Sprintf("the expression is too long or too deep: at most %d bytes, %d levels", maxExprBytes,
			maxExprDepth)
	case strings.HasPrefix(x.message, "Syntax error"):
		x.at = min(x.at, len(x.source))
		if m := inputPattern.FindStringSubmatch(x.message); m != nil && m[1] != "<EOF>" {
			return fmt.Sprintf("%s cannot stand here", m[1])
		}
		return "the expression ends too early"
	}
	return x.message
}

// around returns the tokens before and after the error, the index of the first token at or after
// it, and all tokens. It returns empty tokens when the error is at the end.
func (x *exprIssue) around() (before, after exprToken, index int, tokens []exprToken) {
	tokens = exprTokens(x.source)
	m := mistakes{tokens: tokens}
	index = slices.IndexFunc(tokens, func(t exprToken) bool { return t.at >= x.at })
	if index < 0 {
		return exprToken{}, exprToken{}, 0, tokens
	}
	return m.before(index), m.after(index), index, tokens
}

// undeclared explains a name that is neither a variable nor a function. Most often it is a field
// without its object, so it suggests the whole path: properties.total -> event.properties.total.
func (x *exprIssue) undeclared(name string) string {
	before, after, index, tokens := x.around()
	called := after.text == "("
	if index < len(tokens) && tokens[index].text != name { // a function has the place of its bracket
		if at := slices.IndexFunc(tokens, func(t exprToken) bool { return t.text == name && t.at <= x.at }); at >= 0 {
			x.at, called = tokens[at].at, true
			before = (&mistakes{tokens: tokens}).before(at)
		}
	}
	if called {
		return x.unknownFunction(name, before.text == ".")
	}
	variables := []string{"event", "trigger", "customer", "chain", "now"}
	switch {
	case constants[name] != "":
		return fmt.Sprintf("write %s for %s", constants[name], name)
	case slices.Contains([]string{"properties", "context"}, name):
		return fmt.Sprintf("event. is missing: write event.%s", pathFrom(tokens, index))
	case slices.Contains([]string{"traits", "tags", "consent", "preferences", "timezone"}, name):
		return fmt.Sprintf("customer. is missing: write customer.%s", pathFrom(tokens, index))
	}
	if near := nearest.Name(name, variables); near != "" && after.text == "." {
		return fmt.Sprintf(`%q is unknown; did you mean %q?`, name, near)
	}
	compared := slices.Contains([]string{"==", "!=", "<", ">", "<=", ">=", "[", ",", "("}, before.text)
	if compared && after.text != "." {
		return fmt.Sprintf(`%q is unknown: write %s for a text, or event.properties.%s, or customer.traits.%s`,
			name, inDoubleQuotes(name), name, name)
	}
	return fmt.Sprintf(`%q is unknown: event. or customer. is missing; write event.properties.%s or customer.traits.%s`,
		name, name, name)
}

// pathFrom joins the word at index with the fields selected of it: of the tokens of
// "traits.address.city == x" it returns "traits.address.city".
func pathFrom(tokens []exprToken, index int) string {
	path := []string{tokens[index].text}
	for i := index + 1; i+1 < len(tokens) && tokens[i].text == "." && tokens[i+1].kind == tokenWord; i += 2 {
		path = append(path, tokens[i+1].text)
	}
	return strings.Join(path, ".")
}

// inDoubleQuotes quotes a name as a text of an expression. A name has nothing to escape.
func inDoubleQuotes(s string) string { return `"` + s + `"` }

// unknownFunction explains a call of a function that does not exist, or exists only as a method of
// customer. It suggests the nearest name by spelling or by meaning (length -> size), else lists
// all. Names with signs in them are CEL's operators, such as _+_, which nobody calls by name.
func (x *exprIssue) unknownFunction(name string, member bool) string {
	var all []string
	for known := range x.lang.Env.Functions() { //nudge:unordered sorted below
		if word := known; strings.IndexFunc(word, func(c rune) bool { return c == '_' || c == '@' || c == '!' }) < 0 {
			all = append(all, word)
		}
	}
	all = append(all, "has", "all", "exists", "exists_one", "map", "filter")
	slices.Sort(all)
	if slices.Contains([]string{"count", "sum", "first", "last", "tagged"}, name) && !member {
		return fmt.Sprintf("customer. is missing: write customer.%s(...)", name)
	}
	synonyms := map[string]string{
		"length": "size", "len": "size", "includes": "contains", "exists": "has", "isset": "has", "defined": "has",
		"lower": "matches", "date": "timestamp", "number": "double", "text": "string",
	}
	near := nearest.Name(name, all)
	if other := synonyms[strings.ToLower(name)]; other != "" && other != name && slices.Contains(all, other) {
		near = other
	}
	if near != "" {
		return fmt.Sprintf("there is no function %s; did you mean %q?", name, near)
	}
	return fmt.Sprintf("there is no function %s; there are %s", name, strings.Join(all, ", "))
}

// undefined explains a field that a variable does not have. A name of the user's own belongs one
// level deeper: customer.plan -> customer.traits.plan.
func (x *exprIssue) undefined(field string) string {
	before := strings.TrimRight(x.source[:min(x.at, len(x.source))], " \n\t")
	if x.at < len(x.source) && x.source[x.at] == '.' {
		x.at++
	}
	tokens := exprTokens(before)
	root := ""
	if len(tokens) > 0 {
		root = tokens[len(tokens)-1].text
	}
	kind, inside := typeEvent, "properties"
	switch root {
	case "customer":
		kind, inside = typeCustomer, "traits"
	case "chain":
		kind, inside = typeChain, ""
	}
	var names []string
	for name := range fieldTypes[kind] { //nudge:unordered sorted below
		names = append(names, name)
	}
	slices.Sort(names)
	near := nearest.Name(field, names)
	switch {
	case near != "" && inside != "":
		return fmt.Sprintf("%s has no %s; did you mean %q? What you named yourself is %s.%s.%s", root, field, near,
			root,
			inside, field)
	case inside != "":
		return fmt.Sprintf("%s has no %s; write %s.%s.%s (%s itself has %s)", root, field, root, inside, field, root,
			strings.Join(names, ", "))
	default:
		return fmt.Sprintf("%s has no %s; it has %s%s", root, field, strings.Join(names, ", "), nearest.Hint(field,
			names))
	}
}

// overload explains an operator or function applied to types that it does not take. name is CEL's,
// such as _==_ or contains; applied are the operand types, "(int, string)", or "string.(int)" for a
// method.
func (x *exprIssue) overload(name, applied string) string {
	receiver, arguments := "", strings.TrimSuffix(strings.TrimPrefix(applied, "("), ")")
	if m := memberPattern.FindStringSubmatch(applied); m != nil {
		receiver, arguments = m[1], m[2]
	}
	types := splitTypes(arguments)
	sign := strings.Trim(name, "_")
	if at, is := strings.CutPrefix(name, "@"); is {
		sign = at
	}
	plain := func(i int) string {
		if i < len(types) {
			return PlainType(types[i])
		}
		return "nothing"
	}
	switch {
	case name == "_[_]":
		return fmt.Sprintf("%s has no element %s", plain(0), plain(1))
	case name == "!_":
		return fmt.Sprintf("! denies what is true or false; this is %s", plain(0))
	case name == "-_":
		return fmt.Sprintf("- needs a number; this is %s", plain(0))
	case name == "@in":
		return fmt.Sprintf("in looks for a value in a list; here it has %s in %s", plain(0), plain(1))
	case sign == "&&" || sign == "||":
		return fmt.Sprintf("%s joins what is true or false; here it has %s and %s", sign, plain(0), plain(1))
	case slices.Contains([]string{"==", "!=", "<", ">", "<=", ">="}, sign):
		return fmt.Sprintf("%s compares %s with %s: both must be of one sort; %s", sign, plain(0), plain(1),
			writeInstead(types))
	case strings.HasPrefix(name, "_"):
		return fmt.Sprintf("%s does not work on %s and %s", sign, plain(0), plain(1))
	}
	if at := x.source[:min(x.at, len(x.source))]; strings.HasSuffix(at, name) {
		x.at -= len(name) // the name, not its bracket
	}
	return x.call(name, receiver, types)
}

// writeInstead returns advice for comparing operands of two types, from the type that most likely
// is not meant.
func writeInstead(types []string) string {
	switch {
	case slices.Contains(types, "string") && (slices.Contains(types, "int") || slices.Contains(types, "double")):
		return "write the number without quotes, or the text in quotes"
	case slices.ContainsFunc(types, func(t string) bool { return strings.HasSuffix(strings.ToLower(t), "duration") }):
		return `write duration("24h") for a duration`
	case slices.Contains(types, "google.protobuf.Timestamp") || slices.Contains(types, "timestamp"):
		return `write timestamp("2026-03-01T00:00:00Z") for a time, duration("24h") for a duration`
	case slices.Contains(types, "bool"):
		return "true and false are written without quotes"
	default:
		return "compare a text with a text, a number with a number"
	}
}

// call explains a function called with other arguments than it takes: it lists at most six ways to
// call it, such as customer.count(TEXT, TEXT).
func (x *exprIssue) call(name, receiver string, types []string) string {
	f := x.lang.Env.Functions()[name]
	if f == nil {
		return fmt.Sprintf("%s does not take this", name)
	}
	var takes []string
	for _, o := range f.OverloadDecls() {
		arguments := o.ArgTypes()
		on := ""
		if o.IsMemberFunction() && len(arguments) > 0 {
			on = receiverName(arguments[0].String()) + "."
			arguments = arguments[1:]
		}
		var words []string
		for _, a := range arguments {
			words = append(words, strings.TrimPrefix(strings.TrimPrefix(PlainType(a.String()), "a "), "an "))
		}
		takes = append(takes, on+name+"("+strings.Join(words, ", ")+")")
	}
	var given []string
	for _, t := range types {
		given = append(given, strings.TrimPrefix(strings.TrimPrefix(PlainType(t), "a "), "an "))
	}
	on := ""
	if receiver != "" {
		on = receiverName(receiver) + "."
	}
	slices.Sort(takes)
	takes = slices.Compact(takes)
	const most = 6
	if len(takes) > most {
		takes = takes[:most]
	}
	return fmt.Sprintf("there is no %s%s(%s); write %s", on, name, strings.Join(given, ", "), strings.Join(takes,
		", or "))
}

// receiverName returns how messages write what a method is called on: the variable itself for the
// language's own objects, such as customer, and the kind of value in capitals for others, such as
// TEXT.contains(...).
func receiverName(t string) string {
	switch t {
	case typeCustomer, typeEvent, typeChain:
		return strings.ToLower(strings.TrimPrefix(t, "nudge."))
	default:
		return strings.ToUpper(strings.TrimPrefix(strings.TrimPrefix(PlainType(t), "a "), "an "))
	}
}

// splitTypes splits types at the commas that are not inside brackets: "map(string, dyn), int" ->
// "map(string, dyn)", "int".
func splitTypes(s string) (all []string) {
	depth, from := 0, 0
	for i, c := range s {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			all = append(all, strings.TrimSpace(s[from:i]))
			from = i + 1
		}
	}
	if rest := strings.TrimSpace(s[from:]); rest != "" {
		all = append(all, rest)
	}
	return all
}

// PlainType names a CEL type as messages do, with its article: "double" -> "a number", "list(int)"
// -> "a list".
func PlainType(t string) string {
	switch t {
	case "string":
		return "a text"
	case "int", "uint", "double":
		return "a number"
	case "bool":
		return "true or false"
	case "timestamp", "google.protobuf.Timestamp":
		return "a time"
	case "duration", "google.protobuf.Duration":
		return "a duration"
	case "dyn", "any":
		return "any value"
	case "null", "null_type":
		return "null"
	case "bytes":
		return "bytes"
	case typeEvent:
		return "the event itself"
	case typeCustomer:
		return "the customer itself"
	case typeChain:
		return "the chain itself"
	}
	switch {
	case strings.HasPrefix(t, "list("):
		return "a list"
	case strings.HasPrefix(t, "map("):
		return "an object"
	default:
		return "a " + t
	}
}

// notGiven returns the error for an expression whose value has another type than is needed; needed
// says what to do.
func notGiven(got *cel.Type, needed string) error {
	return fmt.Errorf("the expression gives %s; %s", PlainType(got.String()), needed)
}
