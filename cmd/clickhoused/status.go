package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/nudge-engine/nudge/internal/chdb"
)

// exception returns an error in ClickHouse's form for what the gateway itself refuses, with
// ClickHouse's code and name for it.
func exception(code int, name, text string) *chdb.Exception {
	return &chdb.Exception{Code: code, Text: fmt.Sprintf("Code: %d. DB::Exception: %s. (%s)", code, text, name)}
}

// statusOf maps an exception's code to the HTTP status as the ClickHouse server does it
// (exceptionCodeToHTTPStatus), because clients decide by it whether to try again. Numbers:
// errorCodeToName() of the pinned engine.
func statusOf(code int) int {
	switch code {
	case 194: // REQUIRED_PASSWORD
		return http.StatusUnauthorized
	case 192, 193, 497, 512, 516:
		// UNKNOWN_USER, WRONG_PASSWORD, ACCESS_DENIED, SET_NON_GRANTED_ROLE, AUTHENTICATION_FAILED
		return http.StatusForbidden
	case 6, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 76, 117, 123, 167, 168,
		223, 321, 376, 427, 441, 456, 675, 676:
		// CANNOT_PARSE_*, BAD_ARGUMENTS, SYNTAX_ERROR, TYPE_MISMATCH, INCORRECT_DATA,
		// UNKNOWN_QUERY_PARAMETER, ...
		return http.StatusBadRequest
	case 16, 46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336:
		// NO_SUCH_COLUMN_IN_TABLE and UNKNOWN_*: FUNCTION, IDENTIFIER, TYPE, STORAGE, TABLE,
		// FORMAT, DATABASE, SETTING, ...
		return http.StatusNotFound
	case 159: // TIMEOUT_EXCEEDED
		return http.StatusRequestTimeout
	case 381: // HTTP_LENGTH_REQUIRED
		return http.StatusLengthRequired
	case 229: // QUERY_IS_TOO_LARGE
		return http.StatusRequestEntityTooLarge
	case 48: // NOT_IMPLEMENTED
		return http.StatusNotImplemented
	case 202, 209, 439: // TOO_MANY_SIMULTANEOUS_QUERIES, SOCKET_TIMEOUT, CANNOT_SCHEDULE_TASK
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// expected reports whether an exception with a server's status is no news to the operator:
// refused writes and features, cancelled and surplus statements.
func expected(code int) bool {
	switch code {
	case 48, 164, 202, 344, 358, 394:
		// NOT_IMPLEMENTED, READONLY, TOO_MANY_SIMULTANEOUS_QUERIES, SUPPORT_IS_DISABLED,
		// INTO_OUTFILE_NOT_ALLOWED, QUERY_WAS_CANCELLED
		return true
	}
	return false
}

// asException gives every error ClickHouse's form, so that clients see one kind of error only.
// What has no code of its own becomes 1002, an error of the server.
func asException(err error) *chdb.Exception {
	var e *chdb.Exception
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &e):
		return e
	case errors.As(err, &tooLarge):
		return exception(229, "QUERY_IS_TOO_LARGE", fmt.Sprintf("The request body is larger than %d bytes "+
			"(--max-body): send it in parts", tooLarge.Limit))
	case errors.Is(err, chdb.ErrBusy):
		return exception(202, "TOO_MANY_SIMULTANEOUS_QUERIES", err.Error())
	// As a rule the client is gone; when the server stops it reads this.
	case errors.Is(err, context.Canceled):
		return exception(394, "QUERY_WAS_CANCELLED", "The client went away or the server stops")
	}
	return exception(1002, "UNKNOWN_EXCEPTION", err.Error())
}
