package main

import (
	"crypto/subtle"
	_ "embed"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/nudge-engine/nudge/internal/chdb"
)

// role is what an account may do: the name of a role in access/users.xml. The engine enforces
// the grants of a role, and policy what they cannot say.
type role string

const (
	// roleReader reads the database nudge and harmless tables of system, within limits.
	roleReader role = "reader"
	// roleWriter writes the database nudge: it is nudged's own.
	roleWriter role = "writer"
	// roleOwner may use every database: the account of a clickhoused that serves alone.
	roleOwner role = "owner"
)

// account is somebody who may log in. It does not change while the process runs.
type account struct {
	// user and secret are what the client sends.
	user   string
	secret string
	role   role
	// pool has the engine's connections of this account, which have its role.
	pool *chdb.Pool
}

// minSecret is the shortest secret of an account in bytes, the same as for nudge's own keys.
const minSecret = 16

// usersXML has the roles and their grants, in the engine's own format.
//
//go:embed access/users.xml
var usersXML []byte

// writeAccess writes the engine's configuration into the data directory and returns its path.
// It has no secret in it: the gateway checks passwords, and the engine never sees one.
func writeAccess(data string) (string, error) {
	dir, err := filepath.Abs(filepath.Join(data, "access"))
	if err != nil {
		return "", fmt.Errorf("data directory: %w", err)
	}
	var users strings.Builder
	if err := xml.EscapeText(&users, []byte(filepath.Join(dir, "users.xml"))); err != nil {
		return "", fmt.Errorf("data directory: %w", err)
	}
	config := filepath.Join(dir, "config.xml")
	text := "<clickhouse><users_config>" + users.String() + "</users_config></clickhouse>\n"
	if err := errors.Join(
		os.MkdirAll(dir, 0o700),
		os.WriteFile(filepath.Join(dir, "users.xml"), usersXML, 0o600),
		os.WriteFile(config, []byte(text), 0o600),
	); err != nil {
		return "", fmt.Errorf("cannot write the engine's configuration: %w (check the owner of the data directory "+
			"and the free space)", err)
	}
	return config, nil
}

// authenticate finds the account of a request. User and password may come in any of the ways
// of ClickHouse, in this order: the headers X-ClickHouse-User and -Key, basic authentication,
// the URL. A wrong user and a wrong password get the same answer.
func (g *gateway) authenticate(r *http.Request) (*account, error) {
	// The headers win over the others, as in ClickHouse; a request that names nobody is of the
	// user default.
	user, key, basic := r.BasicAuth()
	query := r.URL.Query()
	switch {
	case r.Header.Get("X-ClickHouse-User") != "" || r.Header.Get("X-ClickHouse-Key") != "":
		user, key = r.Header.Get("X-ClickHouse-User"), r.Header.Get("X-ClickHouse-Key")
	case !basic:
		user, key = query.Get("user"), query.Get("password")
	}
	if user == "" {
		user = "default"
	}
	var found *account
	for _, a := range g.accounts {
		if a.user == user {
			found = a
		}
	}
	// The comparison takes the same time for each wrong password of a length.
	if found == nil || subtle.ConstantTimeCompare([]byte(key), []byte(found.secret)) != 1 {
		return nil, exception(516, "AUTHENTICATION_FAILED", headerSafe(user)+": Authentication failed: password is "+
			"incorrect, or there is no user with such name")
	}
	return found, nil
}
