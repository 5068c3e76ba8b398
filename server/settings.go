package server

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/nudge-engine/nudge/ingest"
	"github.com/nudge-engine/nudge/internal/identity"
	"github.com/nudge-engine/nudge/internal/secret"
	"github.com/nudge-engine/nudge/internal/units"
	"github.com/nudge-engine/nudge/sink/dispatch/egress"
)

// Settings holds every setting of the server. The struct tags are those of
// github.com/alecthomas/kong: they define the flag, the environment variable, the default and
// the help text of each setting. The name of a setting in the configuration file, and in
// errors, is its variable without NUDGE_, in lower case.
//
// A Settings is not changed once it is given to [Open].
type Settings struct {
	// The two places on disk: where settings may come from, and the directory that holds log,
	// state, rows and keys. Only one process may use a data directory at a time.
	ConfigFile string `env:"NUDGE_CONFIG_FILE" help:"YAML file with settings." placeholder:"FILE"`
	DataDir    string `env:"NUDGE_DATA_DIR" default:"data" help:"Where everything is kept."`

	// Addresses as host:port. All three are loopback by default, so that a server that nobody
	// configured is not reachable from the network.
	HTTPListen       string `name:"http-listen" env:"NUDGE_HTTP_LISTEN" default:"127.0.0.1:8080" help:"Address for events."`
	AdminListen      string `env:"NUDGE_ADMIN_LISTEN" default:"127.0.0.1:8081" help:"Address for administration."`
	ClickhouseListen string `env:"NUDGE_CLICKHOUSE_LISTEN" default:"127.0.0.1:8123" help:"Address of the embedded ClickHouse."`

	// Other servers that take the place of the embedded ones. NatsReplicas counts only with
	// NatsURL; an embedded log has one copy of each stream.
	ClickhouseURL secret.URL `name:"clickhouse-url" env:"NUDGE_CLICKHOUSE_URL" help:"A ClickHouse elsewhere; empty: embedded."`
	NatsURL       secret.URL `name:"nats-url" env:"NUDGE_NATS_URL" help:"A NATS JetStream elsewhere; empty: embedded."`
	NatsReplicas  int        `env:"NUDGE_NATS_REPLICAS" default:"1" help:"Servers that keep each stream, with nats-url."`

	// Definitions and the keys of those who send events or administer the server. Keys are
	// compared as bytes and must have at least identity.MinKey of them.
	CampaignsDir string      `env:"NUDGE_CAMPAIGNS_DIR" help:"Definitions to apply at start." placeholder:"DIR"`
	WriteKey     secret.Text `env:"NUDGE_WRITE_KEY" help:"Write key of the default workspace, 16 bytes or more; empty: made at first start."`
	SourcesFile  string      `env:"NUDGE_SOURCES_FILE" help:"YAML file with sources that have write keys of their own." placeholder:"FILE"`
	AdminKey     secret.Text `env:"NUDGE_ADMIN_KEY" help:"Bearer token of the admin address, 16 bytes or more; empty: made at first start."`

	// AllowedHosts are further names for the Host header. Other names are refused, because a
	// web page whose name is made to resolve to loopback could otherwise send requests there.
	AllowedHosts []string `env:"NUDGE_ALLOWED_HOSTS" help:"Names beside the loopback ones under which the admin address and the embedded ClickHouse may be asked, separated by commas." placeholder:"NAME"`

	// ClickhousePassword is for the user who only reads; the password of the writing user is
	// made anew for each child process and is stored nowhere.
	ClickhousePassword secret.Text `env:"NUDGE_CLICKHOUSE_PASSWORD" help:"Password of the user reader of the embedded ClickHouse, 16 bytes or more; empty: made at first start."`

	// EraseKey keys the hashes under which erased customers are remembered. With another key
	// later events of an erased customer would not be recognised, so it must stay the same for
	// the life of the log.
	EraseKey secret.Text `env:"NUDGE_ERASE_KEY" help:"Key of the hashes that stay of erased customers, 16 bytes or more in hexadecimal; empty: made at first start. All servers of one log need the same."`

	// Memory, disk and time. Sizes are bytes. LogBytes is divided evenly among the partitions,
	// once for the event streams and once more for the effect streams. SnapshotEvery bounds
	// how much of the log a start has to replay.
	Partitions      int           `env:"NUDGE_PARTITIONS" default:"8" help:"Partitions of a new log, 1 to 64; fixed for its life."`
	MemoryLimit     units.Size    `env:"NUDGE_MEMORY_LIMIT" default:"4GiB" help:"Customers in memory; 0: no limit."`
	SnapshotEvery   time.Duration `env:"NUDGE_SNAPSHOT_EVERY" default:"5s" help:"Time between snapshots."`
	CheckpointEvery time.Duration `env:"NUDGE_CHECKPOINT_EVERY" default:"10m" help:"Time between checkpoints of the state."`
	Checkpoints     int           `env:"NUDGE_CHECKPOINTS" default:"2" help:"Checkpoints that are kept, 2 to 1000: how far back the past can be looked at."`
	LogBytes        units.Size    `env:"NUDGE_LOG_BYTES" default:"20GiB" help:"Size of all event streams together."`
	Retention       time.Duration `env:"NUDGE_RETENTION" default:"24h" help:"How long the log keeps what is no longer needed."`
	MinFree         units.Size    `env:"NUDGE_MIN_FREE" default:"2GiB" help:"Free disk below which events get 503."`
	EgressAllow     string        `env:"NUDGE_EGRESS_ALLOW" help:"What channels may reach beside public addresses over https: names, addresses, networks, host:port, separated by commas." placeholder:"LIST"`
	RatePerKey      float64       `env:"NUDGE_RATE_PER_KEY" default:"0" help:"Events a second and write key; 0: no limit."`

	// CORSOrigins are compared with the Origin header of a request as text, see
	// [Settings.Validate] for the form.
	CORSOrigins []string `name:"cors-origins" env:"NUDGE_CORS_ORIGINS" default:"*" help:"Web origins whose pages may send events, separated by commas; * is all, none is none." placeholder:"ORIGIN"`

	// Bounds on the open connections of the address for events; the admin address has its own.
	MaxConnections           int `env:"NUDGE_MAX_CONNECTIONS" default:"0" help:"Connections to the address for events at a time; 0: as many as the limit of open files leaves, at most 10000."`
	MaxConnectionsPerAddress int `env:"NUDGE_MAX_CONNECTIONS_PER_ADDRESS" default:"0" help:"Of them from one client address; 0: half of all."`

	// For packagers, tests and programs that start a server. ClockOffset is added to the clock
	// of the machine wherever the engine asks for the time.
	Clickhoused string        `env:"NUDGE_CLICKHOUSED" help:"The clickhoused program; default: beside nudged." placeholder:"FILE"`
	ClockOffset time.Duration `env:"NUDGE_CLOCK_OFFSET" default:"0s" help:"Moves the clock, for tests."`
	NoSync      bool          `env:"NUDGE_NO_SYNC" help:"Acknowledge before the disk has it. Loses events at power loss."`
	ReadyFD     int           `name:"ready-fd" env:"NUDGE_READY_FD" default:"0" help:"Descriptor of a pipe that gets a line when the server listens, for the program that starts it; 0: none."`
	LogLevel    string        `env:"NUDGE_LOG_LEVEL" default:"info" help:"debug, info, warn or error."`
}

// Validate checks each setting and how they go together; Open expects settings that pass. The
// error joins one line for each setting that is wrong, so that all can be put right at once.
// Files and directories that settings name are not looked at.
func (c *Settings) Validate() error {
	var errs []error
	// check notes an error unless ok; the text begins with the name of the setting.
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(c.DataDir != "", "data_dir: must not be empty")
	check(c.Partitions >= 1 && c.Partitions <= 64, "partitions: %d; must be from 1 to 64", c.Partitions)
	check(c.SnapshotEvery >= 100*time.Millisecond, "snapshot_every: %v; must be at least 100ms", c.SnapshotEvery)
	check(c.CheckpointEvery >= time.Second, "checkpoint_every: %v; must be at least 1s", c.CheckpointEvery)
	check(c.Checkpoints >= 2 && c.Checkpoints <= 1000, "checkpoints: %d; must be from 2 to 1000", c.Checkpoints)
	check(c.Retention >= time.Minute, "retention: %v; must be at least 1m", c.Retention)
	check(
		c.LogBytes >= units.Size(c.Partitions)*(16<<20),
		"log_bytes: %v; must be at least 16MiB a partition, %v for %d partitions",
		c.LogBytes,
		units.Size(c.Partitions)*(16<<20),
		c.Partitions,
	)
	check(c.NatsReplicas >= 1 && c.NatsReplicas <= 5, "nats_replicas: %d; must be from 1 to 5", c.NatsReplicas)
	// 0 to 2 are the standard streams.
	check(c.ReadyFD == 0 || c.ReadyFD > 2, "ready_fd: %d; must be over 2, or 0 for none", c.ReadyFD)
	check(c.RatePerKey >= 0, "rate_per_key: %g; must not be negative", c.RatePerKey)
	check(c.MaxConnections >= 0, "max_connections: %d; must not be negative", c.MaxConnections)
	check(c.MaxConnectionsPerAddress >= 0, "max_connections_per_address: %d; must not be negative",
		c.MaxConnectionsPerAddress)
	for _, origin := range c.CORSOrigins {
		check(origin == ingest.AnyOrigin || origin == noOrigin || isOrigin(origin),
			"cors_origins: %q is no origin; write for example https://shop.example, * or none", origin)
	}
	for _, a := range []struct{ name, addr string }{
		{"http_listen", c.HTTPListen},
		{"admin_listen", c.AdminListen},
		{"clickhouse_listen", c.ClickhouseListen},
	} {
		_, _, err := net.SplitHostPort(a.addr)
		check(err == nil, "%s: %q is no address; write for example 127.0.0.1:8080", a.name, a.addr)
	}
	// Keys are optional, and must not be weak when they are given.
	for _, k := range []struct {
		name string
		key  secret.Text
	}{
		{"write_key", c.WriteKey}, {"admin_key", c.AdminKey}, {"clickhouse_password", c.ClickhousePassword},
	} {
		check(k.key == "" || len(k.key) >= identity.MinKey,
			"%s: it has %d bytes; %d or more are needed, or none to have one made", k.name, len(k.key), identity.MinKey)
	}
	_, err := egress.Parse(c.EgressAllow)
	check(err == nil, "egress_allow: %v", err)
	return errors.Join(errs...)
}

// egress returns the policy for what channels may reach. The addresses of this server that are
// not public, and those of its NATS and ClickHouse, are excluded unless egress_allow names
// them with their port: a channel is configured over the admin address, and must not be a way
// to reach it or the log from inside.
func (c *Settings) egress() (*egress.Policy, error) {
	p, err := egress.Parse(c.EgressAllow)
	if err != nil {
		return nil, fmt.Errorf("egress_allow: %w", err)
	}
	own := []string{c.AdminListen, c.ClickhouseListen}
	for _, text := range []string{c.NatsURL.Reveal(), c.ClickhouseURL.Reveal()} {
		// A NATS URL may list several servers, separated by commas.
		for _, one := range strings.Split(text, ",") {
			if u, err := url.Parse(strings.TrimSpace(one)); err == nil && u.Host != "" {
				own = append(own, net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), defaultPorts[u.Scheme])))
			}
		}
	}
	return p.Except(own...), nil
}

// defaultPorts are the ports of URLs that name none, by scheme: the standard ports of NATS and
// of the HTTP, HTTPS and native interfaces of ClickHouse.
//
//nudge:constant read only
var defaultPorts = map[string]string{
	"nats": "4222", "tls": "4222", "http": "8123", "https": "8443", "clickhouse": "9000",
}

// Filter returns a filter that removes the secrets of these settings from text before it is
// printed or logged.
func (c *Settings) Filter() secret.Filter {
	return secret.NewFilter([]secret.Text{c.WriteKey, c.AdminKey, c.ClickhousePassword, c.EraseKey},
		[]secret.URL{c.ClickhouseURL, c.NatsURL})
}

// noOrigin as the entry of cors_origins keeps all web pages from sending events.
const noOrigin = "none"

// isOrigin reports whether text is a web origin in exactly the form in which browsers send it:
// scheme and host, in lower case, without a path. Another form would never equal an Origin
// header, so it is better refused at the start.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.Scheme+"://"+u.Host == text &&
		strings.ToLower(text) == text
}

// path returns the path of a file or directory below the data directory.
func (c *Settings) path(parts ...string) string {
	return filepath.Join(append([]string{c.DataDir}, parts...)...)
}
