package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/nudge-engine/nudge/internal/identity"
	"github.com/nudge-engine/nudge/internal/procattr"
)

type demoCommand struct {
	Data       string `env:"NUDGE_DATA_DIR" default:"data" help:"Data directory of the server."`
	Shop       string `default:"examples/shop" help:"Directory with campaigns and events.ndjson."`
	HTTP       string `name:"http" env:"NUDGE_HTTP_LISTEN" default:"127.0.0.1:8080" help:"Address for events."`
	Admin      string `env:"NUDGE_ADMIN_LISTEN" default:"127.0.0.1:8081" help:"Address for administration."`
	Clickhouse string `env:"NUDGE_CLICKHOUSE_LISTEN" default:"127.0.0.1:8123" help:"Address of the embedded ClickHouse."`
	Key        string `env:"NUDGE_WRITE_KEY" default:"nudge-demo-write-key" help:"Write key."`
	Once       bool   `help:"Stop after the funnel instead of serving on."`
}

const (
	demoReady  = 60 * time.Second
	demoFunnel = 9 * time.Second // from the last call to the funnel: the chains of the shop rest then
)

// funnelQuery is the question that the demo asks ClickHouse.
const funnelQuery = `SELECT campaign,
       countIf(kind = 'entered') AS entered,
       countIf(kind = 'sent') AS sent,
       countIf(kind = 'converted') AS converted,
       countIf(kind = 'refused') AS refused
FROM nudge.decisions
GROUP BY campaign
ORDER BY campaign`

func (d *demoCommand) Run(out console) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := d.choosePorts(ctx, out); err != nil {
		return err
	}
	if err := d.dataIsFree(ctx); err != nil {
		return err
	}
	listening, told, err := os.Pipe()
	if err != nil {
		return err
	}
	defer listening.Close()
	server := exec.Command(filepath.Join(filepath.Dir(self), "nudged"), "--campaigns-dir", d.Shop, "--data-dir", d.Data,
		"--http-listen", d.HTTP, "--admin-listen", d.Admin, "--clickhouse-listen", d.Clickhouse,
		"--log-level", "warn", "--ready-fd", "3")
	server.Env = append(os.Environ(), "NUDGE_WRITE_KEY="+d.Key)
	server.Stdout, server.Stderr = out.out, out.err
	server.ExtraFiles = []*os.File{told}
	server.SysProcAttr = procattr.Own(syscall.SIGTERM)
	if err := errors.Join(server.Start(), told.Close()); err != nil {
		return fmt.Errorf("nudged does not start (run `make build`): %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	failure := d.play(ctx, out, listening, ended)
	if failure == nil && !d.Once {
		d.invite(out)
		select {
		case <-ctx.Done():
		case err := <-ended:
			return fmt.Errorf("nudged ended: %w", err)
		}
	}
	fmt.Fprintln(out.out, "stopping ...")
	_ = server.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-ended:
		if ctx.Err() != nil {
			failure = nil // Ctrl-C is how a demo ends
		}
		if failure = errors.Join(failure, err); failure == nil {
			fmt.Fprintln(out.out, "stopped; nothing is lost")
		}
		return failure
	case <-time.After(demoReady):
		return errors.Join(failure, errors.New("nudged did not stop"), server.Process.Kill())
	}
}

// play waits for the server, plays the calls with their real pauses, and asks
// ClickHouse what came of them.
func (d *demoCommand) play(ctx context.Context, out console, listening io.Reader, ended chan error) error {
	started := time.Now()
	if err := d.await(ctx, listening, ended); err != nil {
		return err
	}
	fmt.Fprintf(
		out.out,
		"nudged is ready after %.1f s; campaigns of %s are in force\n",
		time.Since(started).Seconds(),
		d.Shop,
	)
	lines, err := readLines(filepath.Join(d.Shop, "events.ndjson"))
	if err != nil {
		return err
	}
	p := &player{url: "http://" + d.HTTP, key: d.Key, client: http.DefaultClient}
	run := time.Now().Format("150405") // customers of their own for each run
	var first time.Time
	began := time.Now()
	for _, line := range lines {
		call, at, say, err := demoCall(line, run)
		if err != nil {
			return err
		}
		if first.IsZero() {
			first = at
		}
		if err := sleepUntil(ctx, began.Add(at.Sub(first))); err != nil {
			return err
		}
		if _, err := p.send(ctx, []json.RawMessage{call}, true); err != nil {
			return err
		}
		fmt.Fprintf(out.out, "%s  event %s\n", time.Now().UTC().Format("15:04:05.000"), say)
	}
	if err := sleepUntil(ctx, time.Now().Add(demoFunnel)); err != nil {
		return err
	}
	fmt.Fprintf(out.out, "\nthe funnel, read back from ClickHouse with:\n\n%s\n\n", funnelQuery)
	table, err := d.query(ctx, funnelQuery+"\nFORMAT PrettyCompactMonoBlock")
	if err != nil {
		return err
	}
	fmt.Fprintln(out.out, table)
	return nil
}

// demoCall gives a recorded call a customer of this run.
func demoCall(line json.RawMessage, run string) (call json.RawMessage, at time.Time, say string, err error) {
	fields := map[string]any{}
	if err := json.Unmarshal(line, &fields); err != nil {
		return nil, at, "", err
	}
	user, _ := fields["userId"].(string)
	fields["userId"] = user + "-" + run
	delete(fields, "messageId")
	if text, ok := fields["timestamp"].(string); ok {
		if at, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return nil, at, "", err
		}
	}
	name, _ := fields["event"].(string)
	if name == "" {
		name, _ = fields["type"].(string)
	}
	said := []string{fmt.Sprintf("%s: %s", fields["userId"], name)}
	for _, key := range []string{"properties", "traits"} {
		if v, ok := fields[key]; ok {
			text, err := json.Marshal(v)
			if err != nil {
				return nil, at, "", err
			}
			said = append(said, string(text))
		}
	}
	call, err = json.Marshal(fields)
	return call, at, strings.Join(said, " "), err
}

func sleepUntil(ctx context.Context, at time.Time) error {
	select {
	case <-time.After(time.Until(at)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// await waits until the server is ready. That it answers is not enough, another one may have
// taken its port: it says over its pipe when the addresses are its own.
func (d *demoCommand) await(ctx context.Context, listening io.Reader, ended chan error) error {
	limited, cancel := context.WithTimeout(ctx, demoReady)
	defer cancel()
	said := make(chan error, 1)
	go func() {
		_, err := bufio.NewReader(listening).ReadString('\n')
		said <- err
	}()
	for own := false; ; {
		if own {
			if text, err := get(limited, "http://"+d.HTTP+"/readyz"); err == nil && strings.HasPrefix(text, "ready") {
				return nil
			}
		}
		select {
		case err := <-said:
			own = err == nil // else it has ended
			said = nil
		case err := <-ended:
			ended <- err
			return fmt.Errorf("nudged ended before it was ready, see above: %w", errors.Join(err, errNotStarted))
		case <-limited.Done():
			return fmt.Errorf("nudged is not ready after %v: %w", demoReady, limited.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (d *demoCommand) query(ctx context.Context, sql string) (string, error) {
	id, err := identity.Read(d.Data)
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+d.Clickhouse, strings.NewReader(sql))
	if err != nil {
		return "", err
	}
	request.SetBasicAuth("reader", cmp.Or(os.Getenv("NUDGE_CLICKHOUSE_PASSWORD"), id.ReaderPassword))
	return answer(request)
}

func get(ctx context.Context, address string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return "", err
	}
	return answer(request)
}

// answer is an answer's text; an answer other than 200 is an error.
func answer(request *http.Request) (string, error) {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, text)
	}
	return string(text), err
}

func (d *demoCommand) invite(out console) {
	where, dir := "", ""
	if d.Admin != demoAdmin {
		where = "NUDGE_ADMIN_LISTEN=" + d.Admin + " "
	}
	if d.Data != demoData {
		where, dir = where+"NUDGE_DATA_DIR="+d.Data+" ", " --data-dir "+d.Data
	}
	fmt.Fprintf(out.out, `still serving; Ctrl-C stops. The keys are in %[1]s. Try:

  curl -u %[2]s: http://%[3]s/v1/track \
    --json '{"userId":"you","event":"Cart Updated","properties":{"cart_id":"c1","value":42}}'
  %[4]s%[8]s customer you
  %[4]s%[8]s explain you
  curl -H "Authorization: Bearer $(%[8]s key admin%[5]s)" http://%[6]s/metrics
  curl -u "reader:$(%[8]s key reader%[5]s)" http://%[7]s -d 'SELECT event, count() FROM nudge.events GROUP BY event'

`, identity.Path(d.Data), d.Key, d.HTTP, where, dir, d.Admin, d.Clickhouse, out.self())
}
