package main

import (
	"bytes"
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"
)

// shown is a writer for the terminal of an operator. It writes control characters as \u001b,
// but for line ends and tabs. Names, ids, keys and values come from anyone who may send an event,
// and would else write to the terminal as they like: forge lines, set its title, or make it
// type. In JSON, where they can only be part of texts, this is another way to write the same.
type shown struct {
	to io.Writer
	// rest is the beginning of a character, or a CR, whose end comes with the next Write.
	rest []byte
}

// forTerminal returns w as a writer of shown text. It changes nothing when it is one already.
func forTerminal(w io.Writer) io.Writer {
	if _, is := w.(*shown); is {
		return w
	}
	return &shown{to: w}
}

// raw returns the writer below one of forTerminal, for what the tool itself draws.
func raw(w io.Writer) io.Writer {
	if s, is := w.(*shown); is {
		return s.to
	}
	return w
}

// Write implements io.Writer. An incomplete character at the end waits for the next call.
func (s *shown) Write(p []byte) (int, error) {
	text := append(s.rest, p...)
	var out bytes.Buffer
	out.Grow(len(text))
	for len(text) > 0 && utf8.FullRune(text) {
		r, size := utf8.DecodeRune(text)
		// CR LF is a line end, and a CR alone goes back over what the line says.
		if r == '\r' && len(text) == 1 {
			break
		}
		switch end := r == '\r' && text[1] == '\n'; {
		case unicode.IsControl(r) && r != '\n' && r != '\t' && !end:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			out.Write(text[:size])
		}
		text = text[size:]
	}
	s.rest = append([]byte(nil), text...)
	if _, err := s.to.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}
