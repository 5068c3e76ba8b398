package main

import (
	"context"
	"time"

	"github.com/riverqueue/river"
)

// reminderDelay is how long after a cart its reminder is due.
const reminderDelay = 24 * time.Hour

// sendNow is the job of a cart that is due at once.
type sendNow struct {
	Customer string `json:"customer"`
	Message  string `json:"message"` // id of the event
}

// Kind implements river.JobArgs.
func (sendNow) Kind() string { return "send" }

// remind is the job of a cart that is due after a day, unless the customer buys.
type remind struct {
	Customer string `json:"customer"`
	Message  string `json:"message"`
}

// Kind implements river.JobArgs.
func (remind) Kind() string { return "remind" }

// sender sends to nowhere, as nudge's console does whose output is dropped.
type sender struct {
	river.WorkerDefaults[sendNow]
}

// Work implements river.Worker.
func (*sender) Work(context.Context, *river.Job[sendNow]) error { return nil }

// reminder is the same a day later.
type reminder struct {
	river.WorkerDefaults[remind]
}

// Work implements river.Worker.
func (*reminder) Work(context.Context, *river.Job[remind]) error { return nil }

// Names of the events that the chain looks at.
const (
	cartUpdated    = "Cart Updated"
	orderCompleted = "Order Completed"
)

// plan is what a group of events, in their order, does to jobs.
type plan struct {
	jobs []river.InsertManyParams
	// bought are customers whose stored reminders are cancelled. A reminder whose
	// purchase is in the same group is never made.
	bought []string
}

func planOf(events []event, now time.Time) plan {
	var p plan
	last := map[string]int{} // customer to the place of the last purchase
	for i := range events {
		if e := &events[i]; e.name == orderCompleted {
			if _, known := last[e.customer]; !known {
				p.bought = append(p.bought, e.customer)
			}
			last[e.customer] = i
		}
	}
	due := &river.InsertOpts{ScheduledAt: now.Add(reminderDelay)}
	for i := range events {
		e := &events[i]
		if e.name != cartUpdated {
			continue
		}
		p.jobs = append(p.jobs, river.InsertManyParams{Args: sendNow{Customer: e.customer, Message: e.id}})
		if bought, known := last[e.customer]; !known || bought < i {
			p.jobs = append(p.jobs, river.InsertManyParams{
				Args: remind{Customer: e.customer, Message: e.id}, InsertOpts: due,
			})
		}
	}
	return p
}
