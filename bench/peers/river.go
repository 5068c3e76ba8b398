package peers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// River is the peer on River, running.
type River struct {
	url     string
	process *process
}

// RiverReady says why the peer cannot be built here; nil: it can, as far as is seen
// without trying.
func RiverReady(source string) error {
	if _, err := os.Stat(filepath.Join(source, "go.mod")); err != nil {
		return fmt.Errorf("there is no peer in %s; run this in the repository, or use --source: %w", source, err)
	}
	if _, err := exec.LookPath("go"); err != nil {
		return fmt.Errorf("the peer is built from source, which needs Go in PATH: %w", err)
	}
	return nil
}

// BuildRiver builds the program into dir. The first time it fetches what the peer needs.
func BuildRiver(ctx context.Context, source, dir string) (program string, err error) {
	program = filepath.Join(dir, "river")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, ".") //nolint:gosec // below the run's own directory
	build.Dir, build.Env = source, append(os.Environ(), "GOWORK=off")
	if text, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("peers: go build in %s: %w\n%s", source, err, text)
	}
	return program, nil
}

// StartRiver starts the program at address and waits until it takes events; plain leaves
// out its tuning. Stop it, also after the context ended.
func StartRiver(ctx context.Context, program, address, database string, plain bool) (*River, error) {
	r := &River{url: "http://" + address}
	args := []string{"-listen", address, "-database", database}
	if plain {
		args = append(args, "-plain")
	}
	var err error
	r.process, err = start(program+".log", nil, program, args...)
	if err != nil {
		return nil, err
	}
	if err := r.process.await(ctx, startLimit, r.ready); err != nil {
		_ = r.Stop() // what it would say is said already
		return nil, err
	}
	return r, nil
}

func (r *River) ready(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+"/readyz", http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	return errors.Join(err, response.Body.Close())
}

// BatchURL is where batches go.
func (r *River) BatchURL() string { return r.url + "/v1/batch" }

// Pid is its process id.
func (r *River) Pid() int { return r.process.command.Process.Pid }

// Explain adds the end of its log to an error.
func (r *River) Explain(err error) error { return r.process.explain(err) }

// Stop ends it.
func (r *River) Stop() error { return r.process.stop(syscall.SIGTERM) }
