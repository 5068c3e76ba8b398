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

// Settings is every setting of the server. The tags say how flags, variables of the
// environment and lines of the file are called, for github.com/alecthomas/kong; a setting's
// name in the file, and in errors, is its variable without NUDGE_, in lower case.
type Settings struct {
	ConfigFile string `env:"NUDGE_CONFIG_FILE" help:"YAML file with settings." placeholder:"FILE"`
	DataDir    string `env:"NUDGE_DATA_DIR" default:"data" help:"Where everything is kept."`

	HTTPListen       string `name:"http-listen" env:"NUDGE_HTTP_LISTEN" default:"127.0.0.1:8080" help:"Address for events."`
	AdminListen      string `env:"NUDGE_ADMIN_LISTEN" default:"127.0.0.1:8081" help:"Address for administration."`
	ClickhouseListen string `env:"NUDGE_CLICKHOUSE_LISTEN" default:"127.0.0.1:8123" help:"Address of the embedded ClickHouse."`

	ClickhouseURL secret.URL `name:"clickhouse-url" env:"NUDGE_CLICKHOUSE_URL" help:"A ClickHouse elsewhere; empty: embedded."`
	NatsURL       secret.URL `name:"nats-url" env:"NUDGE_NATS_URL" help:"A NATS JetStream elsewhere; empty: embedded."`
	NatsReplicas  int        `env:"NUDGE_NATS_REPLICAS" default:"1" help:"Servers that keep each stream, with nats-url."`

	CampaignsDir string      `env:"NUDGE_CAMPAIGNS_DIR" help:"Definitions to apply at start." placeholder:"DIR"`
	WriteKey     secret.Text `env:"NUDGE_WRITE_KEY" help:"Write key of the default workspace, 16 bytes or more; empty: made at first start."`
	SourcesFile  string      `env:"NUDGE_SOURCES_FILE" help:"YAML file with sources that have write keys of their own." placeholder:"FILE"`
	AdminKey     secret.Text `env:"NUDGE_ADMIN_KEY" help:"Bearer token of the admin address, 16 bytes or more; empty: made at first start."`

	AllowedHosts []string `env:"NUDGE_ALLOWED_HOSTS" help:"Names beside the loopback ones under which the admin address and the embedded ClickHouse may be asked, separated by commas." placeholder:"NAME"`

	ClickhousePassword secret.Text `env:"NUDGE_CLICKHOUSE_PASSWORD" help:"Password of the user reader of the embedded ClickHouse, 16 bytes or more; empty: made at first start."`

	EraseKey secret.Text `env:"NUDGE_ERASE_KEY" help:"Key of the hashes that stay of erased customers, 16 bytes or more in hexadecimal; empty: made at first start. All servers of one log need the same."`

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

	CORSOrigins []string `name:"cors-origins" env:"NUDGE_CORS_ORIGINS" default:"*" help:"Web origins whose pages may send events, separated by commas; * is all, none is none." placeholder:"ORIGIN"`

	MaxConnections           int `env:"NUDGE_MAX_CONNECTIONS" default:"0" help:"Connections to the address for events at a time; 0: as many as the limit of open files leaves, at most 10000."`
	MaxConnectionsPerAddress int `env:"NUDGE_MAX_CONNECTIONS_PER_ADDRESS" default:"0" help:"Of them from one client address; 0: half of all."`

	Clickhoused string        `env:"NUDGE_CLICKHOUSED" help:"The clickhoused program; default: beside nudged." placeholder:"FILE"`
	ClockOffset time.Duration `env:"NUDGE_CLOCK_OFFSET" default:"0s" help:"Moves the clock, for tests."`
	NoSync      bool          `env:"NUDGE_NO_SYNC" help:"Acknowledge before the disk has it. Loses events at power loss."`
	ReadyFD     int           `name:"ready-fd" env:"NUDGE_READY_FD" default:"0" help:"Descriptor of a pipe that gets a line when the server listens, for the program that starts it; 0: none."`
	LogLevel    string        `env:"NUDGE_LOG_LEVEL" default:"info" help:"debug, info, warn or error."`
}

// Validate checks each setting and how they go together. The error names all that are wrong.
func (c *Settings) Validate() error {
	var errs []error
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

// egress is what channels may reach: never this server's own addresses beside the public one,
// unless they are named with their port.
func (c *Settings) egress() (*egress.Policy, error) {
	p, err := egress.Parse(c.EgressAllow)
	if err != nil {
		return nil, fmt.Errorf("egress_allow: %w", err)
	}
	own := []string{c.AdminListen, c.ClickhouseListen}
	for _, text := range []string{c.NatsURL.Reveal(), c.ClickhouseURL.Reveal()} {
		for _, one := range strings.Split(text, ",") { // of NATS there may be several
			if u, err := url.Parse(strings.TrimSpace(one)); err == nil && u.Host != "" {
				own = append(own, net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), defaultPorts[u.Scheme])))
			}
		}
	}
	return p.Except(own...), nil
}

// defaultPorts are the ports of URLs that name none.
//
//nudge:constant read only
var defaultPorts = map[string]string{
	"nats": "4222", "tls": "4222", "http": "8123", "https": "8443", "clickhouse": "9000",
}

// Filter takes the secrets of the settings out of what is printed.
func (c *Settings) Filter() secret.Filter {
	return secret.NewFilter([]secret.Text{c.WriteKey, c.AdminKey, c.ClickhousePassword, c.EraseKey},
		[]secret.URL{c.ClickhouseURL, c.NatsURL})
}

// noOrigin in cors_origins keeps all web pages from sending events.
const noOrigin = "none"

// isOrigin says whether a text is a web origin as browsers send it.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.Scheme+"://"+u.Host == text &&
		strings.ToLower(text) == text
}

func (c *Settings) path(parts ...string) string {
	return filepath.Join(append([]string{c.DataDir}, parts...)...)
}
