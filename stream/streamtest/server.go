package streamtest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// StartServer starts a nats-server that listens on a free port of the loopback
// interface, keeps its streams in dir, and ends with the test.
func StartServer(t *testing.T, dir string) (url string) {
	t.Helper()
	s, err := startServer(dir, "127.0.0.1", server.RANDOM_PORT)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	return s.ClientURL()
}

// Serve runs a nats-server on address until lifeline ends: for a process of its own,
// that a test can kill and that outlives no test.
func Serve(dir, address string, lifeline io.Reader) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("address: %w", err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return fmt.Errorf("address: %w", err)
	}
	s, err := startServer(dir, host, number)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, lifeline)
	s.Shutdown()
	s.WaitForShutdown()
	return err
}

func startServer(dir, host string, port int) (*server.Server, error) {
	s, err := server.NewServer(&server.Options{
		Host: host, Port: port, JetStream: true, StoreDir: dir, SyncAlways: true, NoSigs: true,
		MaxPayload: 8 << 20,
		// Streams have limits of their own; the disk of a test is not counted twice.
		JetStreamMaxStore: 1 << 50,
	})
	if err != nil {
		return nil, fmt.Errorf("nats-server: %w", err)
	}
	s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		s.Shutdown()
		return nil, errors.New("nats-server is not ready after 30 s")
	}
	return s, nil
}
