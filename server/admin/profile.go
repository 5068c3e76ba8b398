package admin

import (
	"net/http"
	"net/http/pprof"
	"runtime"
	"sync"
)

// lockSample is the fraction 1/n of waits for a lock that is recorded while somebody looks:
// enough for the shape of a profile, and too few to be felt.
const lockSample = 100

// profiles adds the paths that show where the server spends its time and memory, in the form
// that `go tool pprof` and `go tool trace` read. They need the admin key, as all else: a
// profile shows less than who may apply definitions can read anyway.
func (a *API) profiles(mux *http.ServeMux) {
	// pprof's own handlers, for clients that access has let through.
	plain := func(f http.HandlerFunc) http.HandlerFunc {
		return a.whenUp(func(_ *Parts, w http.ResponseWriter, r *http.Request) error {
			f(w, r)
			return nil
		})
	}
	mux.HandleFunc("GET /debug/pprof/", plain(pprof.Index)) // heap, allocs, goroutine, ...
	mux.HandleFunc("GET /debug/pprof/mutex", plain(lockProfile()))
	mux.HandleFunc("GET /debug/pprof/profile", plain(pprof.Profile))
	mux.HandleFunc("GET /debug/pprof/trace", plain(pprof.Trace))
}

// lockProfile returns the handler of the profile of waits for locks. Recording them costs
// time, so they are recorded only while somebody asks for some seconds of them (?seconds=10).
func lockProfile() http.HandlerFunc {
	// asking counts such requests; mu guards it and the process-wide fraction.
	var mu sync.Mutex
	asking := 0
	note := func(n int) {
		mu.Lock()
		defer mu.Unlock()
		asking += n
		rate := 0
		if asking > 0 {
			rate = lockSample
		}
		runtime.SetMutexProfileFraction(rate)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		note(1)
		defer note(-1)
		pprof.Handler("mutex").ServeHTTP(w, r)
	}
}
