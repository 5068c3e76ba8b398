package chdb

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// codeUnknownSetting is UNKNOWN_SETTING of ClickHouse.
const codeUnknownSetting = 115

// settingName is what a setting may be called. Names become command-line arguments and SQL
// text.
var settingName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// loadSettings asks the engine for the names that it knows, aliases included.
// chdb_connect ignores a name that it does not know, so a mistyped
// insert_deduplication_token would be an insert without deduplication.
func (e *Engine) loadSettings() (map[string]bool, error) {
	r, err := e.anchor.Query(context.Background(), "SELECT name FROM system.settings", "TabSeparated")
	if err != nil {
		return nil, fmt.Errorf("chdb: cannot read the engine's list of settings: %w", err)
	}
	known := map[string]bool{}
	for name := range strings.FieldsSeq(string(r.Data)) {
		known[name] = true
	}
	if !known["max_execution_time"] {
		return nil, errors.New("chdb: the engine's list of settings (system.settings) has no max_execution_time: " +
			"not the pinned engine?")
	}
	return known, nil
}

// check refuses what chdb_connect would ignore or be confused by.
func (e *Engine) check(s Setting) error {
	switch {
	case !settingName.MatchString(s.Name):
		return &Exception{Code: codeUnknownSetting, Text: fmt.Sprintf("Code: 115. DB::Exception: Unknown setting "+
			"'%s'. (UNKNOWN_SETTING)", s.Name)}
	case strings.ContainsRune(s.Value, 0):
		return fmt.Errorf("chdb: the value of the setting %s holds a NUL byte", s.Name)
	case e.known != nil && !e.known[s.Name]: // nil only for the anchor, which has none
		return e.explain(s)
	}
	return nil
}

// explain gets the engine's own words on a setting that it does not take:
// chdb_connect only says no, a SET says why.
func (e *Engine) explain(settings ...Setting) error {
	conn, err := e.Connect()
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.set(context.Background(), settings); err != nil {
		return err
	}
	return fmt.Errorf("chdb: cannot open a connection on %q with settings %v, and the engine does not say why", e.dir,
		settings)
}

// Set changes settings of an open session. It stops at the first one that the engine
// refuses.
func (c *Conn) Set(ctx context.Context, settings []Setting) error {
	for _, s := range settings {
		if err := c.engine.check(s); err != nil {
			return err
		}
	}
	return c.set(ctx, settings)
}

// set runs a SET for each setting, with its value quoted.
func (c *Conn) set(ctx context.Context, settings []Setting) error {
	for _, s := range settings {
		value := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s.Value)
		if _, err := c.Query(ctx, "SET "+s.Name+" = '"+value+"'", "Null"); err != nil {
			return err
		}
	}
	return nil
}

// Reset gives settings of an open session their default values back. err is the error of
// the statement that they were for; Reset returns it joined with its own, so that it can be
// deferred. It runs also when ctx has ended, because the session lives on.
func (c *Conn) Reset(ctx context.Context, settings []Setting, err error) error {
	for _, s := range settings {
		_, failed := c.Query(context.WithoutCancel(ctx), "SET "+s.Name+" = DEFAULT", "Null")
		err = errors.Join(err, failed)
	}
	return err
}
