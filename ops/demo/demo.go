// Package demo starts a server, plays recorded calls through it with their real pauses, and
// shows what came of them: `nudge demo`, the first thing that a newcomer runs. It uses a real
// server as a child process, so that what is shown is what the product does. Nothing of it
// runs in production.
package demo

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
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/nudge-engine/nudge/internal/identity"
	"github.com/nudge-engine/nudge/internal/procattr"
	"github.com/nudge-engine/nudge/ops/replay"
)

// Demo is what is played, and where. All fields but Once are required. Run may replace
// addresses.
type Demo struct {
	// Data is the data directory of the server. It is created, and may have data of earlier
	// runs.
	Data string
	// Shop is a directory with definitions and with events.ndjson, the calls that are played.
	Shop string
	// The three addresses of the server as host:port: for events, for administration, and of
	// the embedded ClickHouse.
	HTTP       string
	Admin      string
	Clickhouse string
	// Key is the write key that the server gets and the calls are sent with.
	Key string
	// Once stops after the funnel instead of serving on.
	Once bool

	// Tool is how the tool is called in the commands that are shown.
	Tool string
	// Out gets what the reader should see, the messages of the console channel among it; Err
	// gets the server's log.
	Out, Err io.Writer
}

const (
	// readyLimit bounds the start of the server, which at the first time may have to fetch its
	// ClickHouse, and its stop.
	readyLimit = 60 * time.Second
	// settleTime lies between the last call and the funnel: the chains of the shop have ended
	// or wait by then, and their rows are written.
	settleTime = 9 * time.Second
)

// funnelQuery is the question that the demo asks ClickHouse, and shows with its answer.
const funnelQuery = `SELECT campaign,
       countIf(kind = 'entered') AS entered,
       countIf(kind = 'sent') AS sent,
       countIf(kind = 'converted') AS converted,
       countIf(kind = 'refused') AS refused
FROM nudge.decisions
GROUP BY campaign
ORDER BY campaign`

// Run plays the demo until ctx ends, which is no error, or a part of it fails. The programs
// nudged and clickhoused must be beside this one. Ports that are taken are replaced by others,
// unless they were asked for. The steps: look that no server has the data, find ports, start
// the server with a pipe on which it says that it listens, play, and stop it in the end.
func (d *Demo) Run(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	// Both checks come before the server starts, because their errors say what to do, and
	// those of a server that fails would be lost in its log. The ports come last: what they
	// print holds only for a demo that starts.
	if err := d.dataIsFree(ctx); err != nil {
		return err
	}
	if err := d.choosePorts(ctx); err != nil {
		return err
	}
	fmt.Fprintf(d.Out, "starting nudged and ClickHouse, with their data in %s ...\n", d.Data)
	// The server writes to the pipe when it listens.
	listening, told, err := os.Pipe()
	if err != nil {
		return err
	}
	defer listening.Close()
	// The server's own log is limited to warnings, so that the demo can be read.
	server := exec.Command(filepath.Join(filepath.Dir(self), "nudged"), "--campaigns-dir", d.Shop, "--data-dir", d.Data,
		"--http-listen", d.HTTP, "--admin-listen", d.Admin, "--clickhouse-listen", d.Clickhouse,
		"--log-level", "warn", "--ready-fd", "3")
	server.Env = append(os.Environ(), "NUDGE_WRITE_KEY="+d.Key)
	server.Stdout, server.Stderr = d.Out, d.Err
	// It becomes descriptor 3 there, see --ready-fd.
	server.ExtraFiles = []*os.File{told}
	// The server gets the signal when this process dies, so that no demo leaves a server
	// behind.
	server.SysProcAttr = procattr.Own(syscall.SIGTERM)
	if err := errors.Join(server.Start(), told.Close()); err != nil {
		return fmt.Errorf("nudged does not start (run `make build`): %w", err)
	}
	// There is room for the error, so that await can put it back.
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	failure := d.play(ctx, listening, ended)
	// The server goes on, so that a reader can send events of their own.
	if failure == nil && !d.Once {
		d.invite()
		select {
		case <-ctx.Done():
		case err := <-ended:
			return fmt.Errorf("nudged ended: %w", err)
		}
	}
	fmt.Fprintln(d.Out, "stopping ...")
	_ = server.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-ended:
		if ctx.Err() != nil {
			// Ctrl-C is how a demo ends; what it cut off is no failure.
			failure = nil
		}
		if failure = errors.Join(failure, err); failure == nil {
			fmt.Fprintln(d.Out, "stopped; nothing is lost")
		}
		return failure
	// It has not answered the signal; without this it would keep its ports.
	case <-time.After(readyLimit):
		return errors.Join(failure, errors.New("nudged did not stop"), server.Process.Kill())
	}
}

// play waits for the server, plays the calls with the pauses between their timestamps, and
// asks ClickHouse what came of them. It prints each call as it is sent.
func (d *Demo) play(ctx context.Context, listening io.Reader, ended chan error) error {
	started := time.Now()
	if err := d.await(ctx, listening, ended); err != nil {
		return err
	}
	fmt.Fprintf(
		d.Out,
		"nudged is ready after %.1f s; campaigns of %s are in force\n",
		time.Since(started).Seconds(),
		d.Shop,
	)
	lines, err := replay.ReadLines(filepath.Join(d.Shop, "events.ndjson"))
	if err != nil {
		return err
	}
	p := &replay.Player{URL: "http://" + d.HTTP, Key: d.Key, Client: http.DefaultClient}
	// A repeated demo on the same data gets customers of its own; otherwise caps and re-entry
	// rules would silence it.
	run := time.Now().Format("150405")
	var first time.Time
	began := time.Now()
	for _, line := range lines {
		call, at, say, err := personal(line, run)
		if err != nil {
			return err
		}
		// Pauses count from the first call, whenever the calls were recorded.
		if first.IsZero() {
			first = at
		}
		if err := sleepUntil(ctx, began.Add(at.Sub(first))); err != nil {
			return err
		}
		// true: the calls happen now, whatever their timestamps say.
		if _, err := p.Send(ctx, []json.RawMessage{call}, true); err != nil {
			return err
		}
		fmt.Fprintf(d.Out, "%s  event %s\n", time.Now().UTC().Format("15:04:05.000"), say)
	}
	if err := sleepUntil(ctx, time.Now().Add(settleTime)); err != nil {
		return err
	}
	fmt.Fprintf(d.Out, "\nthe funnel, read back from ClickHouse with:\n\n%s\n\n", funnelQuery)
	// Pretty output is made by ClickHouse itself.
	table, err := d.query(ctx, funnelQuery+"\nFORMAT PrettyCompactMonoBlock")
	if err != nil {
		return err
	}
	fmt.Fprintln(d.Out, table)
	return nil
}

// personal changes a recorded call for this run: its customer gets the suffix run, and it
// loses its id, by which it would be recognised as sent before. It returns the time at which
// the call is due, and a line to be shown.
func personal(line json.RawMessage, run string) (call json.RawMessage, at time.Time, say string, err error) {
	fields := map[string]any{}
	if err := json.Unmarshal(line, &fields); err != nil {
		return nil, at, "", err
	}
	user, _ := fields["userId"].(string)
	fields["userId"] = user + "-" + run
	delete(fields, "messageId")
	// Calls without a timestamp are due at once.
	if text, ok := fields["timestamp"].(string); ok {
		if at, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return nil, at, "", err
		}
	}
	// A track call shows its event, any other call its type.
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

// sleepUntil waits until an instant; the error is that of ctx when it ends before.
func sleepUntil(ctx context.Context, at time.Time) error {
	select {
	case <-time.After(time.Until(at)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// await waits until the server is ready. An answer on its port is not enough, since another
// server may have taken the port: the server says over its pipe when the addresses are its
// own, and only then is it asked.
func (d *Demo) await(ctx context.Context, listening io.Reader, ended chan error) error {
	limited, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	said := make(chan error, 1)
	go func() {
		_, err := bufio.NewReader(listening).ReadString('\n')
		said <- err
	}()
	// own is true once the server has said that the addresses are its own.
	for own := false; ; {
		if own {
			if text, err := get(limited, "http://"+d.HTTP+"/readyz"); err == nil && strings.HasPrefix(text, "ready") {
				return nil
			}
		}
		select {
		case err := <-said:
			// Otherwise it has ended, which ended tells too.
			own = err == nil
			said = nil
		// It says why on the error output, above this.
		case err := <-ended:
			// Run reads it again when it stops the server.
			ended <- err
			return fmt.Errorf("nudged ended before it was ready, see above: %w", errors.Join(err, errNotStarted))
		case <-limited.Done():
			return fmt.Errorf("nudged is not ready after %v: %w", readyLimit, limited.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// query asks the embedded ClickHouse as the user reader and returns its answer as text. The
// password is in node.json, which the server has written by now.
func (d *Demo) query(ctx context.Context, sql string) (string, error) {
	id, err := identity.Read(d.Data)
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+d.Clickhouse, strings.NewReader(sql))
	if err != nil {
		return "", err
	}
	// As the server does: a password that is set goes before the one that was made.
	request.SetBasicAuth("reader", cmp.Or(os.Getenv("NUDGE_CLICKHOUSE_PASSWORD"), id.ReaderPassword))
	return answer(request)
}

// get fetches a URL and returns its text.
func get(ctx context.Context, address string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return "", err
	}
	return answer(request)
}

// answer makes a request and returns the answer's text; a status other than 200 is an error.
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

// invite prints commands to try on the running server. They name the addresses and the
// directory where those are not the usual ones.
func (d *Demo) invite() {
	where, dir := "", ""
	if d.Admin != DefaultAdmin {
		where = "NUDGE_ADMIN_LISTEN=" + d.Admin + " "
	}
	if d.Data != DefaultData {
		where, dir = where+"NUDGE_DATA_DIR="+d.Data+" ", " --data-dir "+d.Data
	}
	fmt.Fprintf(d.Out, `still serving; Ctrl-C stops. The keys are in %[1]s. Try:

  curl -u %[2]s: http://%[3]s/v1/track \
    --json '{"userId":"you","event":"Cart Updated","properties":{"cart_id":"c1","value":42}}'
  %[4]s%[8]s customer you
  %[4]s%[8]s explain you
  curl -H "Authorization: Bearer $(%[8]s key admin%[5]s)" http://%[6]s/metrics
  curl -u "reader:$(%[8]s key reader%[5]s)" http://%[7]s -d 'SELECT event, count() FROM nudge.events GROUP BY event'

`, identity.Path(d.Data), d.Key, d.HTTP, where, dir, d.Admin, d.Clickhouse, d.Tool)
}
