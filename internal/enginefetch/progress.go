package enginefetch

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// How often progress is reported: smoothly on a terminal, rarely in a log.
const (
	barInterval  = 100 * time.Millisecond
	lineInterval = 3 * time.Second
)

// watch runs f and meanwhile reports how much of dir is there of total bytes: as a bar on a
// terminal, else as a line every few seconds. It returns the error of f.
func watch(out io.Writer, dir string, total int64, f func() error) error {
	report, finish, interval := reporter(out, total)
	done := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				report(min(sizeOf(dir), total))
			}
		}
	}()
	err := f()
	close(done)
	// Nothing is reported any more when the final line is written.
	<-stopped
	finish(err == nil)
	return err
}

// reporter returns how to report the bytes so far, how to end the report, and how often to
// report.
func reporter(out io.Writer, total int64) (report func(int64), finish func(ok bool), interval time.Duration) {
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		bar := progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(out), progressbar.OptionShowBytes(true),
			progressbar.OptionSetDescription("ClickHouse engine"), progressbar.OptionSetWidth(30))
		report = func(n int64) { _ = bar.Set64(n) }
		finish = func(ok bool) {
			if ok {
				_ = bar.Finish()
			}
			fmt.Fprintln(out)
		}
		return report, finish, barInterval
	}
	report = func(n int64) {
		fmt.Fprintf(out, "ClickHouse engine: %d of %d MB (%d %%)\n", (n+5e5)/1e6, (total+5e5)/1e6, 100*n/max(total, 1))
	}
	return report, func(bool) {}, lineInterval
}

// sizeOf returns the size in bytes of the files in dir. Files come and go while it looks;
// those that it cannot see count 0, which is good enough for a progress bar.
func sizeOf(dir string) (sum int64) {
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			if info, err := entry.Info(); err == nil {
				sum += info.Size()
			}
		}
		return nil // go on: the file that vanished is not the last one
	})
	return sum
}
