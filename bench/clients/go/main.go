// Command go sends calls of each kind with Segment's client for Go.
// Usage: go run ./bench/clients/go URL KEY NAME.
package main

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/segmentio/analytics-go/v3"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// failures keeps what the client could not send; it tells so from goroutines of its own.
type failures struct {
	mu  sync.Mutex
	all []error
}

func (f *failures) Success(analytics.Message) {}

func (f *failures) Failure(_ analytics.Message, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, err)
}

// calls are what every client sends: one call of each kind with values that are easily
// changed on the way, and one that comes twice.
func calls(name string) []analytics.Message {
	user, visitor := name+"-user", name+"-visitor"
	order := analytics.Track{
		UserId: user, Event: "Order Completed", MessageId: name + "-order",
		Timestamp: time.Now().Add(-2 * time.Hour), Properties: analytics.Properties{"order_id": 7},
	}
	return []analytics.Message{
		analytics.Track{AnonymousId: visitor, Event: "Cart Updated", Properties: analytics.Properties{
			"cart_id": "A-1", "value": 30.5, "quantity": 3, "largest": int64(1)<<53 - 1,
			"title": "Grüße aus 東京 🛒 \"zitiert\"\n\\", "gift": true,
			"items": []map[string]any{{"sku": "S1", "price": 9.99}, {"sku": "", "price": -1}},
		}},
		analytics.Identify{UserId: user, AnonymousId: visitor, Traits: analytics.Traits{
			"email": "zoe@example.com", "name": "Zoë Müller", "age": 41, "address": map[string]any{"city": "Łódź"},
		}},
		analytics.Page{UserId: user, Name: "Pricing", Properties: analytics.Properties{
			"url": "/pricing", "category": "Docs",
		}},
		analytics.Screen{UserId: user, Name: "Home", Properties: analytics.Properties{"tab": 1}},
		analytics.Group{UserId: user, GroupId: "acme", Traits: analytics.Traits{"plan": "pro"}},
		analytics.Alias{UserId: user, PreviousId: name + "-phone"},
		order, order,
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return errors.New("usage: go URL KEY NAME")
	}
	var failed failures
	client, err := analytics.NewWithConfig(args[1], analytics.Config{Endpoint: args[0], Callback: &failed})
	if err != nil {
		return fmt.Errorf("segment: %w", err)
	}
	for _, call := range calls(args[2]) {
		if err := client.Enqueue(call); err != nil {
			return fmt.Errorf("segment: %w", err)
		}
	}
	if err := client.Close(); err != nil {
		return fmt.Errorf("segment: %w", err)
	}
	return errors.Join(failed.all...)
}
