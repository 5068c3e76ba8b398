package chdb

import (
	"regexp"
	"strconv"
)

// Exception is an error of ClickHouse. Text is as the engine wrote it, e.g.
// "Code: 60. DB::Exception: Unknown table ...". Code is 0 when the text has
// none.
type Exception struct {
	Code int
	Text string
}

func (e *Exception) Error() string { return e.Text }

// codePattern finds the code wherever it stands: errors of the parser begin
// with "Syntax error", those of inserts with their own prefix.
var codePattern = regexp.MustCompile(`Code: (\d+)\.`)

// newException reads the code out of the text of an error.
func newException(text string) *Exception {
	e := &Exception{Text: text}
	if m := codePattern.FindStringSubmatch(text); m != nil {
		e.Code, _ = strconv.Atoi(m[1]) // digits by the pattern; too many are no code
	}
	return e
}
