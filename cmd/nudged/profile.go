package main

import (
	"net/http"
	"net/http/pprof"
)

// profiles shows where the server spends its time and memory, in the form that
// `go tool pprof` and `go tool trace` read. Whoever may apply definitions may look.
func (n *node) profiles(mux *http.ServeMux) {
	plain := func(f http.HandlerFunc) http.HandlerFunc {
		return n.guarded(func(w http.ResponseWriter, r *http.Request) error {
			f(w, r)
			return nil
		})
	}
	mux.HandleFunc("GET /debug/pprof/", plain(pprof.Index)) // heap, allocs, mutex, goroutine, ...
	mux.HandleFunc("GET /debug/pprof/profile", plain(pprof.Profile))
	mux.HandleFunc("GET /debug/pprof/trace", plain(pprof.Trace))
}
