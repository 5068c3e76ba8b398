// Package chproof lets nudged make sure that the process which answers at its ClickHouse
// address is the one that it started. Another user of the machine could have taken the port
// first, and would otherwise be sent the data and the password.
//
// Both processes know a secret that nudged made for this start. The other side must answer
// a random challenge with a keyed hash (HMAC-SHA256) of it, so that the secret itself is
// never sent to a stranger and an answer cannot be used again.
package chproof

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Path is the path of the HTTP request that carries the challenge.
const Path = "/challenge"

// NonceBytes is the length of a challenge in bytes.
const NonceBytes = 32

// limit is how long a proof may take. The other side has nothing to do but compute a hash.
const limit = 10 * time.Second

// ErrStranger means that the answering process does not know the secret.
var ErrStranger = errors.New("another server answers there, not the ClickHouse that this nudged started")

// Answer returns the proof that a process knows the secret, for a nonce that the other side
// chose.
func Answer(secret string, nonce []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	// The prefix keeps the proof from being of use in any other protocol with the same
	// secret.
	mac.Write([]byte("nudge clickhouse challenge\n"))
	mac.Write(nonce)
	return mac.Sum(nil)
}

// Prove asks the process at the other end of a new connection for a proof. It leaves the
// connection as it was, ready for HTTP requests; host is for the Host header and for
// errors. After an error nothing may be sent on the connection.
func Prove(ctx context.Context, conn net.Conn, host, secret string) error {
	deadline := time.Now().Add(limit)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := conn.SetDeadline(deadline); err != nil {
		return fmt.Errorf("clickhouse: %w", err)
	}
	// A deadline in the past ends a read or write that waits when ctx ends.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	nonce := make([]byte, NonceBytes)
	if _, err := rand.Read(nonce); err != nil {
		return fmt.Errorf("clickhouse: %w", err)
	}
	if _, err := fmt.Fprintf(conn, "GET %s?nonce=%x HTTP/1.1\r\nHost: %s\r\n\r\n", Path, nonce, host); err != nil {
		return fmt.Errorf("clickhouse: %w", err)
	}
	from := bufio.NewReader(io.LimitReader(conn, 8<<10))
	response, err := http.ReadResponse(from, nil)
	if err != nil {
		return fmt.Errorf("clickhouse at %s: %w", host, err)
	}
	text, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return fmt.Errorf("clickhouse at %s: %w", host, err)
	}
	// Bytes after the answer would be taken for the answer to the first real request.
	got, err := hex.DecodeString(string(text))
	if err != nil || response.StatusCode != http.StatusOK || !hmac.Equal(got, Answer(secret, nonce)) ||
		from.Buffered() > 0 {
		return fmt.Errorf("clickhouse at %s: %w", host, ErrStranger)
	}
	return conn.SetDeadline(time.Time{})
}
