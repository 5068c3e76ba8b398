package admin

import (
	"net/http"
	"net/http/pprof"
	"runtime"
	"sync"
)

// lockSample is that one of so many waits for a lock is noted while somebody looks.
const lockSample = 100

// profiles shows where the server spends its time and memory, in the form that
// `go tool pprof` and `go tool trace` read. A key that may apply definitions may read it.
func (a *API) profiles(mux *http.ServeMux) {
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

// lockProfile is the profile of waits for locks, which are noted only as long as somebody
// asks for some seconds of them (?seconds=10).
func lockProfile() http.HandlerFunc {
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
