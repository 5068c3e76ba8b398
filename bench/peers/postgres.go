package peers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// How long a process under measurement may take to start, and how often it is asked whether
// it is up.
const (
	startLimit = time.Minute
	startPoll  = 50 * time.Millisecond
)

// Postgres is a server of its own, without a TCP port: it is reached over a socket in a
// directory that only its user may enter.
type Postgres struct {
	programs string
	data     string
	sockets  string
	account  *account
	process  *process
}

// FindPostgres is the directory of PostgreSQL's programs: that of initdb in PATH, or
// the newest of Debian's.
func FindPostgres() (string, error) {
	if found, err := exec.LookPath("initdb"); err == nil {
		if found, err = filepath.EvalSymlinks(found); err == nil && CheckPostgres(filepath.Dir(found)) == nil {
			return filepath.Dir(found), nil
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	found = slices.DeleteFunc(found, func(dir string) bool { return CheckPostgres(dir) != nil })
	if len(found) == 0 {
		return "", errors.New("PostgreSQL is not installed; install it, on Debian with `apt-get install postgresql`")
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(path))) // one that is no number is the oldest
		return n
	}
	return slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) }), nil
}

// CheckPostgres says which program is missing in a directory.
func CheckPostgres(dir string) error {
	for _, name := range []string{"initdb", "postgres", "psql"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("there is no %s in %s; name the directory of PostgreSQL's programs with --postgres: %w",
				name, dir, err)
		}
	}
	return nil
}

// StartPostgres makes a database below dir and serves it. dir must be one that the
// account of the server can enter: not root's, because PostgreSQL refuses to run as
// root. Stop it, also after the context ended.
func StartPostgres(ctx context.Context, programs, dir string) (_ *Postgres, err error) {
	a, err := serverAccount()
	if err != nil {
		return nil, err
	}
	p := &Postgres{programs: programs, data: filepath.Join(dir, "postgres"), account: a}
	// The path of a socket is 107 bytes at most, so it cannot lie below any dir.
	if p.sockets, err = os.MkdirTemp("", "nudge-peer-*"); err != nil {
		return nil, fmt.Errorf("peers: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Stop())
		}
	}()
	if err := p.initialise(ctx); err != nil {
		return nil, err
	}
	p.process, err = start(filepath.Join(dir, "postgres.log"), a, filepath.Join(programs, "postgres"),
		"-D", p.data, "-k", p.sockets)
	if err != nil {
		return nil, err
	}
	return p, p.process.await(ctx, startLimit, func(ctx context.Context) error {
		_, err := p.Query(ctx, "SELECT 1")
		return err
	})
}

// initialise makes the data directory with its settings.
func (p *Postgres) initialise(ctx context.Context) error {
	if err := os.Mkdir(p.data, 0o700); err != nil {
		return fmt.Errorf("peers: %w", err)
	}
	if err := errors.Join(p.account.own(p.data), p.account.own(p.sockets)); err != nil {
		return err
	}
	if err := p.account.reaches(p.data); err != nil {
		return err
	}
	initdb := exec.CommandContext(ctx, filepath.Join(p.programs, "initdb"), "-D", p.data, "-U", databaseUser,
		"--auth=trust", "--no-locale", "--encoding=UTF8", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = "/", p.account.attributes()
	if text, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("peers: initdb: %w\n%s", err, text)
	}
	file, err := os.OpenFile(filepath.Join(p.data, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("peers: %w", err)
	}
	_, err = file.WriteString(Settings())
	return errors.Join(err, file.Close())
}

// databaseUser is the name in the database, whatever the account.
const databaseUser = "postgres"

// Settings are what differs from PostgreSQL's defaults: durable, and sized for the
// machine as its manual advises.
func Settings() string {
	const most, least = 4096, 128 // MiB
	shared := min(max(memoryMiB()/4, least), most)
	return fmt.Sprintf(`
# Durable: these are the defaults, said aloud.
fsync = on
synchronous_commit = on
full_page_writes = on
# Sized for the machine.
shared_buffers = %dMB
effective_cache_size = %dMB
wal_buffers = 64MB
# No checkpoint forced by the volume of a short run.
max_wal_size = 16GB
checkpoint_timeout = 30min
# Short statements: no compiler; a table of jobs turns over fast.
jit = off
random_page_cost = 1.1
autovacuum_naptime = 10s
autovacuum_vacuum_cost_delay = 0
# Reached over the socket alone.
listen_addresses = ''
max_connections = 100
`, shared, 3*shared)
}

// DSN is how a client reaches the database.
func (p *Postgres) DSN() string {
	return fmt.Sprintf("host=%s user=%s dbname=postgres sslmode=disable", p.sockets, databaseUser)
}

// Pid is the process id of the server, the parent of all its others.
func (p *Postgres) Pid() int { return p.process.command.Process.Pid }

// Query asks for one row of numbers.
func (p *Postgres) Query(ctx context.Context, sql string) ([]int, error) {
	psql := exec.CommandContext(ctx, filepath.Join(p.programs, "psql"), "-X", "-q", "-A", "-t", "-F", " ",
		"-h", p.sockets, "-U", databaseUser, "-d", "postgres", "-c", sql)
	var wrong bytes.Buffer
	psql.Stderr = &wrong
	text, err := psql.Output()
	if err != nil {
		return nil, fmt.Errorf("peers: psql: %w: %s", err, bytes.TrimSpace(wrong.Bytes()))
	}
	var numbers []int
	for field := range strings.FieldsSeq(string(text)) {
		n, err := strconv.Atoi(field)
		if err != nil {
			return nil, fmt.Errorf("peers: %s: answer %q: %w", sql, text, err)
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}

// Stop ends the server. Its data stay, for the one who made their directory.
func (p *Postgres) Stop() error {
	var err error
	if p.process != nil {
		err = p.process.stop(os.Interrupt) // PostgreSQL's fast shutdown
	}
	return errors.Join(err, os.RemoveAll(p.sockets))
}
