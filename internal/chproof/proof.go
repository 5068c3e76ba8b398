// Package chproof is how nudged knows its own ClickHouse: both know a secret that nudged
// made for this start of the process, and the process answers a challenge with it. The
// secret itself is sent only after that.
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

// Path is where the challenge is answered.
const Path = "/challenge"

// NonceBytes is the length of a challenge.
const NonceBytes = 32

// limit bounds a proof.
const limit = 10 * time.Second

// ErrStranger says that who answers is not the process that has the secret.
var ErrStranger = errors.New("another server answers there, not the ClickHouse that this nudged started")

// Answer is the proof that one has the secret, for a nonce.
func Answer(secret string, nonce []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("nudge clickhouse challenge\n"))
	mac.Write(nonce)
	return mac.Sum(nil)
}

// Prove asks who is at the other end of a new connection for a proof, and leaves the
// connection as it was, for HTTP requests. An error means that nothing may be sent there.
func Prove(ctx context.Context, conn net.Conn, host, secret string) error {
	deadline := time.Now().Add(limit)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := conn.SetDeadline(deadline); err != nil {
		return fmt.Errorf("clickhouse: %w", err)
	}
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
	got, err := hex.DecodeString(string(text))
	if err != nil || response.StatusCode != http.StatusOK || !hmac.Equal(got, Answer(secret, nonce)) ||
		from.Buffered() > 0 {
		return fmt.Errorf("clickhouse at %s: %w", host, ErrStranger)
	}
	return conn.SetDeadline(time.Time{})
}
