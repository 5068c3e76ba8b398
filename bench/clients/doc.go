// Package clients runs the clients that people have against a real nudged: Segment's and
// RudderStack's, which send events, and ClickHouse's, which read rows. They are used as they
// are shipped, of pinned versions, with only the host, the key and the user changed.
//
// What the programs in node, python, java and go send is the same story; the tests compare
// the rows in ClickHouse with it. `make clients` installs the clients into the cache and runs
// the tests; `make clients CLIENTS=npm` leaves out Python's and Java's.
//
//	events_test.go      clients that send events from a server
//	page_test.go        clients for browsers, in a page in Chromium, from allowed and other origins
//	curl_test.go        every path by itself
//	warehouse_test.go   clients of ClickHouse, against nudged and a clickhoused that serves alone
package clients
