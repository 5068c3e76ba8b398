package main

import (
	"encoding/binary"
	"strings"
)

// hello is what clickhouse-go asks first: who the server is, as the engine says it.
type hello struct{ displayName, version, timezone string }

// helloQuery is that question, in every version of clickhouse-go that speaks HTTP
// (conn_http.go, queryHello).
const helloQuery = "select displayname(), version(), revision(), timezone()"

// isHello reports whether a request is clickhouse-go's first query: the text, white space and
// case aside, in the Native format, from a client that says its protocol version. All three,
// because the answer's framing is right for it alone: a person who types this query gets the
// ordinary answer.
func isHello(req *request) bool {
	if req.protocol == "" || req.protocol == "0" || req.outputFormat() != "Native" || len(req.sql) > 2*len(helloQuery) {
		return false
	}
	// Space, case and a semicolon at the end vary between versions.
	text := strings.TrimRight(strings.Join(strings.Fields(req.sql), " "), "; ")
	return strings.EqualFold(text, helloQuery)
}

// native returns the answer: one block of the Native format in the framing of the client's own
// protocol version, which clickhouse-go assumes for this query only: block info first, and a
// byte per column for custom serialisation. It then goes on in the revision that the answer
// names. 0 makes it the plain framing, the only one that the engine writes as a library.
func (h hello) native() []byte {
	block := []byte{
		1, 0, // field 1: is_overflows = false
		2, 0xff, 0xff, 0xff, 0xff, // field 2: bucket_num = -1
		0, // end of block info
		4, // columns
		1, // rows
	}
	block = appendColumn(block, "displayName()", "String", appendString(nil, h.displayName))
	block = appendColumn(block, "version()", "String", appendString(nil, h.version))
	block = appendColumn(block, "revision()", "UInt32", binary.LittleEndian.AppendUint32(nil, 0))
	return appendColumn(block, "timezone()", "String", appendString(nil, h.timezone))
}

// appendColumn appends a column of one row: its name, its type and the value as it is encoded.
func appendColumn(block []byte, name, typ string, data []byte) []byte {
	block = appendString(appendString(block, name), typ)
	block = append(block, 0) // no custom serialisation
	return append(block, data...)
}

// appendString appends a text with its length before it.
func appendString(to []byte, s string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(s))), s...)
}
