package main

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nudge-engine/nudge/internal/chdb"
)

// Limits of sessions.
const (
	maxSessions        = 128
	sessionTimeout     = time.Minute // unless session_timeout says otherwise
	maxSessionTimeout  = time.Hour
	maxSessionIDLength = 256
	maxSessionSettings = 100
)

// session is what a client's statements share under one session_id: SET and USE, and for
// accounts that may make them, temporary tables.
type session struct {
	settings []chdb.Setting // of a reader
	database string         // of a reader
	// conn is open for as long as the session of a writing account is; nil for a reader,
	// who can leave nothing behind but settings.
	conn *chdb.Conn

	busy    bool
	expires time.Time
	timeout time.Duration
}

// sessions are all that are open. Safe for concurrent use.
type sessions struct {
	mu   sync.Mutex
	open map[string]*session // by user and session_id
	now  func() time.Time
}

func newSessions() *sessions { return &sessions{open: map[string]*session{}, now: time.Now} }

// sessionAsked is what the URL says of a session.
type sessionAsked struct {
	id      string
	timeout time.Duration
	check   bool // it must exist
	end     bool // it is closed after the statement
}

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

// take finds or opens the session for one statement; begin opens the connection of a new
// one. give must be called after the statement.
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
	found.busy, found.timeout = true, asked.timeout
	return found, nil
}

// give ends a statement in a session.
func (s *sessions) give(user string, asked sessionAsked, of *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	of.busy, of.expires = false, s.now().Add(of.timeout)
	if asked.end {
		s.end(user+"\x00"+asked.id, of)
	}
}

// expire closes what was not used for too long.
func (s *sessions) expire() {
	now := s.now()
	for key, one := range s.open {
		if !one.busy && now.After(one.expires) {
			s.end(key, one)
		}
	}
}

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

// remember keeps the settings of a reader's SET.
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
