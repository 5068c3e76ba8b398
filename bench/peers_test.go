package bench

import (
	"encoding/json"
	"strings"
	"testing"
)

// The model counts as a slow reader of the same calls does.
func TestShoppersKnowWhatWaits(t *testing.T) {
	const connections, batches, size = 3, 40, 50
	o := Options{Workload: Workload{Seed: 5, Customers: 90, Campaigns: 1}, Connections: connections}
	l, sum := o.shopLoad("")
	var want shopped
	owner := map[string]int{}
	for connection := range connections {
		waiting := map[string][]int{} // customer to the batches of its carts
		source := l.sourceOf(connection)
		for n := range batches {
			body, deliveries := source.Batch(nil, size, testTime())
			var read struct{ Batch []call }
			if err := json.Unmarshal(body, &read); err != nil {
				t.Fatal(err)
			}
			carts := 0
			for _, c := range read.Batch {
				if first, known := owner[c.UserID]; known && first != connection {
					t.Fatalf("%s comes in connections %d and %d", c.UserID, first, connection)
				}
				owner[c.UserID] = connection
				switch c.Event {
				case cartUpdated:
					carts++
					waiting[c.UserID] = append(waiting[c.UserID], n)
				case orderCompleted:
					for _, cart := range waiting[c.UserID] {
						want.Cancelled++
						if cart == n {
							want.SameBatch++
						}
					}
					delete(waiting, c.UserID)
				}
			}
			if want.Carts += carts; deliveries != carts {
				t.Errorf("%d deliveries; want %d", deliveries, carts)
			}
		}
		for _, carts := range waiting {
			want.Waiting += len(carts)
		}
	}
	if got := sum(); got != want || want.SameBatch == 0 || want.Waiting == 0 {
		t.Errorf("the model has %+v; want %+v", got, want)
	}
}

func TestPeersAreChecked(t *testing.T) {
	good := Side{
		Events: 10, Model: shopped{Carts: 5, Waiting: 2, Cancelled: 3, SameBatch: 1},
		Did: shopped{Carts: 5, Waiting: 2, Cancelled: 2}, // without the one of the same request
	}
	for want, change := range map[string]func(*Side) (stored, carts int){
		"":                               func(*Side) (int, int) { return 10, 5 },
		"events stored: 9; want 10":      func(*Side) (int, int) { return 9, 5 },
		"immediate sends done: 6; want":  func(s *Side) (int, int) { s.Did.Carts = 6; return 10, 5 },
		"different carts among them: 4":  func(*Side) (int, int) { return 10, 4 },
		"sends that wait: 3; want 2":     func(s *Side) (int, int) { s.Did.Waiting = 3; return 10, 5 },
		"by a purchase: 3; want 2":       func(s *Side) (int, int) { s.Did.Cancelled = 3; return 10, 5 },
		"beyond those of customers who ": func(s *Side) (int, int) { s.TakenBack = 4; return 10, 5 },
	} {
		s := good
		s.check(change(&s))
		if got := strings.Join(s.wrong, "; "); !strings.Contains(got, want) || (want == "") != (got == "") {
			t.Errorf("unexpected %q; want %q", got, want)
		}
	}
}
