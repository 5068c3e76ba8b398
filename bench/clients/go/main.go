// Command go sends one call of each kind with Segment's client for Go.
// Usage: go run ./bench/clients/go URL KEY NAME.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/segmentio/analytics-go/v3"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// failures keeps what the client could not send.
type failures struct{ last error }

func (f *failures) Success(analytics.Message)            {}
func (f *failures) Failure(_ analytics.Message, e error) { f.last = e }

func run(args []string) error {
	if len(args) != 3 {
		return errors.New("usage: go URL KEY NAME")
	}
	user, visitor := args[2]+"-user", args[2]+"-visitor"
	var failed failures
	client, err := analytics.NewWithConfig(args[1], analytics.Config{Endpoint: args[0], Callback: &failed})
	if err != nil {
		return fmt.Errorf("segment: %w", err)
	}
	for _, m := range []analytics.Message{
		analytics.Track{AnonymousId: visitor, Event: "Cart Updated", Properties: analytics.Properties{"cart_id": "A"}},
		analytics.Identify{UserId: user, AnonymousId: visitor, Traits: analytics.Traits{"email": "ann@example.com"}},
		analytics.Page{UserId: user, Name: "Pricing", Properties: analytics.Properties{"url": "/pricing"}},
		analytics.Screen{UserId: user, Name: "Home"},
		analytics.Group{UserId: user, GroupId: "acme", Traits: analytics.Traits{"plan": "pro"}},
		analytics.Alias{UserId: user, PreviousId: args[2] + "-phone"},
		analytics.Track{UserId: user, Event: "Order Completed"},
	} {
		if err := client.Enqueue(m); err != nil {
			return fmt.Errorf("segment: %w", err)
		}
	}
	if err := client.Close(); err != nil {
		return fmt.Errorf("segment: %w", err)
	}
	return failed.last
}
