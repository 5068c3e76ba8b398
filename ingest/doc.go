// Package ingest is where events come in: HTTP on one side, frames on the other. It is for
// package server, which gives it a publisher, and for the simulator and nudge simulate, which
// read recorded calls with the same code ([Recorded]).
//
// The API has the shape of Segment's tracking API, so that its clients work by changing the
// host. A request is answered when the frames that hold its events are durable: 200 means that
// every event which the answer does not list as rejected is on disk and will be applied once.
//
// Everything that comes in is bounded before memory is taken for it: connections
// (internal/listen), heads, bodies on the wire and decompressed, values in a body, calls in a
// batch. A stranger without a key gets less room than a known sender, and learns nothing about
// keys or customers from answers.
//
// Reading order:
//
//	server.go    routes, limits, answers
//	head.go      what is refused by the head alone; auth.go keys, cors.go web pages, scope.go what a key may do
//	take.go      one call from head to answer; body.go, tree.go, budget.go what it may occupy
//	decode.go    body -> items, every field checked, errors that name the field
//	item.go      one call -> event.Event; identity.go, alias.go, times.go, properties.go, plain.go its fields
//	publish.go   events and rejects -> frames, and the wait for them
package ingest
