package main

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nudge-engine/nudge/internal/chdb"
)

// Limits of sessions. A session of a writing account holds a connection of the engine, and an
// id and settings come from outside, so all of them are bounded. The timeouts are those of
// ClickHouse's HTTP interface.
const (
	// maxSessions bounds all sessions together.
	maxSessions = 128
	// sessionTimeout holds unless the parameter session_timeout says otherwise.
	sessionTimeout    = time.Minute
	maxSessionTimeout = time.Hour
	// maxSessionIDLength is in bytes; drivers send a UUID.
	maxSessionIDLength = 256
	maxSessionSettings = 100
)

// session is what a client's statements share under one session_id: SET and USE, and for
// accounts that may create them, temporary tables. While it is busy it belongs to the
// goroutine of its statement.
type session struct {
	// settings and database are those of a reader: what SET and USE have said.
	settings []chdb.Setting
	database string
	// conn is open for as long as the session of a writing account is; nil for a reader, who
	// can leave nothing behind but settings.
	conn *chdb.Conn

	// busy is true during a statement; expires is when an idle session is closed, and timeout
	// by how much each statement moves that on.
	busy    bool
	expires time.Time
	timeout time.Duration
}

// sessions are all that are open. It is safe for concurrent use.
type sessions struct {
	mu sync.Mutex
	// open has the sessions by user and session_id: two users may choose the same id.
	open map[string]*session
	// now is the clock; tests replace it.
	now func() time.Time
}

// newSessions returns an empty table of sessions.
func newSessions() *sessions { return &sessions{open: map[string]*session{}, now: time.Now} }

// sessionAsked is what the URL of a request says about a session; id is empty when it asks for
// none.
type sessionAsked struct {
	id      string
	timeout time.Duration
	// check asks for a session that exists.
	check bool
	// end asks to close it after the statement.
	end bool
}

// readSession reads the parameters of a session with get. An error has the code of ClickHouse
// for it.
func readSession(get func(string) string) (sessionAsked, error) {
	asked := sessionAsked{
		id: get("session_id"), timeout: sessionTimeout,
		check: get("session_check") == "1", end: get("close_session") == "1",
	}
	if len(asked.id) > maxSessionIDLength {
		return asked, exception(36, "BAD_ARGUMENTS", fmt.Sprintf("session_id is longer than %d bytes",
			maxSessionIDLength))
	}
	if text := get("session_timeout"); text != "" {
		seconds, err := strconv.ParseUint(text, 10, 32)
		if err != nil || time.Duration(seconds)*time.Second > maxSessionTimeout {
			return asked, exception(374, "INVALID_SESSION_TIMEOUT", fmt.Sprintf("session_timeout %q must be seconds, "+
				"at most %d", headerSafe(text), int(maxSessionTimeout.Seconds())))
		}
		asked.timeout = time.Duration(seconds) * time.Second
	}
	return asked, nil
}

// take finds or opens the session for one statement; begin opens the connection of a new one,
// and may return nil. A session serves one statement at a time: a second one is refused, as
// ClickHouse does, and not queued. give must be called after the statement.
func (s *sessions) take(user string, asked sessionAsked, begin func() (*chdb.Conn, error)) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	key := user + "\x00" + asked.id
	found := s.open[key]
	switch {
	case found != nil && found.busy:
		return nil, exception(373, "SESSION_IS_LOCKED", "Session "+headerSafe(asked.id)+" is locked by a concurrent "+
			"client")
	case found == nil && asked.check:
		return nil, exception(372, "SESSION_NOT_FOUND", "Session "+headerSafe(asked.id)+" not found")
	case found == nil && len(s.open) >= maxSessions:
		return nil, exception(202, "TOO_MANY_SIMULTANEOUS_QUERIES", fmt.Sprintf("There are %d sessions, which is the "+
			"most: close some (close_session=1), or use none", maxSessions))
	case found == nil:
		conn, err := begin()
		if err != nil {
			return nil, err
		}
		found = &session{conn: conn}
		s.open[key] = found
	}
	// From here on expire leaves it alone until give.
	found.busy, found.timeout = true, asked.timeout
	return found, nil
}

// give ends a statement in a session, and the session too if that was asked.
func (s *sessions) give(user string, asked sessionAsked, of *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	of.busy, of.expires = false, s.now().Add(of.timeout)
	// The client says that it needs the session no more.
	if asked.end {
		s.end(user+"\x00"+asked.id, of)
	}
}

// expire closes what was not used for too long. It runs with each take, so an abandoned
// session lives until the next statement of any session.
//
// REQUIRES: mu is held.
func (s *sessions) expire() {
	now := s.now()
	for key, one := range s.open {
		if !one.busy && now.After(one.expires) {
			s.end(key, one)
		}
	}
}

// end closes a session and forgets it.
//
// REQUIRES: mu is held.
func (s *sessions) end(key string, one *session) {
	if one.conn != nil {
		one.conn.Close()
	}
	delete(s.open, key)
}

// close ends all sessions.
//
// REQUIRES: no statement runs.
func (s *sessions) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, one := range s.open {
		s.end(key, one)
	}
}

// remember keeps the settings of a reader's SET; a later value replaces an earlier one.
func (s *session) remember(settings []chdb.Setting) error {
	for _, one := range settings {
		replaced := false
		for i := range s.settings {
			if s.settings[i].Name == one.Name {
				s.settings[i], replaced = one, true
			}
		}
		if !replaced {
			s.settings = append(s.settings, one)
		}
	}
	if len(s.settings) > maxSessionSettings {
		s.settings = s.settings[:maxSessionSettings]
		return exception(36, "BAD_ARGUMENTS", fmt.Sprintf("a session keeps at most %d settings", maxSessionSettings))
	}
	return nil
}
