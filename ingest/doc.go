// Package ingest is where events come in: HTTP on one side, frames on the other.
//
// The API has the shape of Segment's tracking API, so that its clients work by
// changing the host. A request is answered when the frames that hold its events
// are durable: 200 means that every event which the answer does not list as
// rejected is on disk and will be applied once.
//
//	decode.go    body -> items, every field checked, errors that name the field
//	item.go      one call -> event.Event
//	publish.go   events and rejects -> frames, and the wait for them
//	server.go    routes, limits, answers
package ingest
