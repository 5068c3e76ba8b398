package listen

import (
	"context"
	"net"
	"net/http"
)

type connKey struct{}

// Bind makes a server of net/http say when it is at work: it reads from a connection also
// while it answers on it, to notice that the client went away, and would look idle.
func Bind(s *http.Server) {
	s.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, c)
	}
	handler := s.Handler
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connKey{}).(*conn); ok {
			c.working.Add(1)
			defer func() {
				c.touch()
				c.working.Add(-1)
			}()
		}
		handler.ServeHTTP(w, r)
	})
}
