package listen

import (
	"context"
	"net"
	"net/http"
)

// connKey is the key of the connection in the context of its requests.
type connKey struct{}

// Bind makes a server of net/http tell when a connection is at work. While a handler runs,
// the server reads from the connection too, to notice that the client went away, so the
// connection would look as if it waited. Bind must be called after the handler is set, and
// replaces ConnContext.
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
