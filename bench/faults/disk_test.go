package faults_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/nudge-engine/nudge/internal/servertest"
)

// disk is an ext4 file system of its own in a file.
type disk struct {
	t           *testing.T
	image, path string
	mounted     bool
}

// newDisk makes and mounts one; the test is skipped where that is not possible.
func newDisk(t *testing.T) *disk {
	t.Helper()
	dir := t.TempDir()
	d := &disk{t: t, image: filepath.Join(dir, "image"), path: filepath.Join(dir, "mounted")}
	if err := os.Mkdir(d.path, 0o750); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{
		{"truncate", "-s", "900M", d.image},
		{"mkfs.ext4", "-q", "-m", "0", d.image},
		{"mount", "-o", "loop", d.image, d.path},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Skipf("a loop device cannot be mounted here (root is needed): %s: %v %s", command[0], err, out)
		}
	}
	d.mounted = true
	t.Cleanup(d.unmount)
	return d
}

// unmount waits for the processes that still end.
func (d *disk) unmount() {
	if !d.mounted {
		return
	}
	if err := servertest.Poll(d.t.Context(), 30*time.Second, func() error {
		if out, err := exec.Command("umount", d.path).CombinedOutput(); err != nil {
			return fmt.Errorf("%w %s", err, out)
		}
		return nil
	}); err != nil {
		// Nothing is left behind: it goes when its last user does.
		d.t.Log(err, exec.Command("umount", "-l", d.path).Run())
	}
	d.mounted = false
}

func (d *disk) mount() {
	d.t.Helper()
	if out, err := exec.Command("mount", "-o", "loop", d.image, d.path).CombinedOutput(); err != nil {
		d.t.Fatalf("mount: %v %s", err, out)
	}
	d.mounted = true
}

func (d *disk) free() int64 {
	d.t.Helper()
	var fs syscall.Statfs_t
	if err := syscall.Statfs(d.path, &fs); err != nil {
		d.t.Fatal(err)
	}
	return int64(fs.Bavail) * fs.Bsize
}

// fill leaves so many bytes free; the file it makes is the ballast.
func (d *disk) fill(leave int64) (ballast string) {
	d.t.Helper()
	ballast = filepath.Join(d.path, "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := syscall.Fallocate(int(f.Fd()), 0, 0, d.free()-leave); err != nil {
		d.t.Fatal(err)
	}
	return ballast
}

// exhaust takes every block there is; the files are the ballast.
func (d *disk) exhaust() (ballast []string) {
	d.t.Helper()
	ballast = []string{d.fill(8 << 20), filepath.Join(d.path, "rest")}
	f, err := os.Create(ballast[1])
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		d.t.Fatal(err)
	}
	return ballast
}

// cut ends the file system at once, as a power loss would: what was not handed to
// the device is gone, the journal's buffer too (EXT4_IOC_SHUTDOWN without a flush).
func (d *disk) cut() {
	d.t.Helper()
	const shutdown, withoutFlush = 0x8004587d, uint32(2)
	f, err := os.Open(d.path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	how := withoutFlush
	_, _, failure := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), shutdown, uintptr(unsafe.Pointer(&how)))
	if failure != 0 {
		d.t.Skipf("the file system cannot be cut off here: %v", failure)
	}
}

const diskFree = 150 << 20

// The disk fills below the watermark while events come, and is freed later.
func TestDiskFills(t *testing.T) {
	l := begin(t, "disk fills",
		"without a watermark no 503 came in 2 minutes")
	d := newDisk(t)
	s := newServer(t, d.path, fmt.Sprintf("NUDGE_MIN_FREE=%d", diskFree))
	s.start()
	stop := s.load()
	s.acknowledged(time.Minute, 3000)
	ballast := d.fill(diskFree + 4<<20)
	s.eventually(2*time.Minute, "a 503 because of the disk", func() error {
		if s.book.refusals("disk is nearly full") < clients {
			return errNotYet
		}
		return nil
	})
	closed := s.book.count()
	<-time.After(10 * time.Second)
	during, least := s.book.count()-closed, d.free()
	if s.over() || strings.Contains(s.log.String(), "no space left") {
		t.Error("the disk was full before the server refused")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	s.acknowledged(time.Minute, batch)
	took := time.Since(began).Round(10 * time.Millisecond)
	stop(time.Minute)
	found := s.settle(2 * time.Minute)
	s.stop()
	s.verify()
	l.set("once, watermark 150 MiB", fmt.Sprintf(
		"503 before ENOSPC (%d MiB were left after 10 s, %d events taken in them); taken again %v after space was freed, by itself; %s; verify ok",
		least>>20, during, took, found))
}

// The disk is full at once, below any watermark: another program took all.
func TestDiskFullAtOnce(t *testing.T) {
	l := begin(t, "disk full at once",
		"before the server asked its log for write errors nothing was taken for 2 minutes")
	d := newDisk(t)
	s := newServer(t, d.path, fmt.Sprintf("NUDGE_MIN_FREE=%d", diskFree))
	s.start()
	stop := s.load()
	s.acknowledged(time.Minute, 3000)
	ballast := d.exhaust()
	restarts := s.watch(10 * time.Second)
	taken := s.book.count()
	for _, file := range ballast {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	restarts += s.supervised(2*time.Minute, batch)
	took := time.Since(began).Round(10 * time.Millisecond)
	restarts += s.watch(5 * time.Second)
	stop(time.Minute)
	found := s.settle(2 * time.Minute)
	s.stop()
	s.verify()
	s.tell("level=ERROR", "nudged: ")
	t.Logf("%d were taken until space was freed", taken)
	l.set("once, for 10 s", fmt.Sprintf(
		"taken again %v after space was freed; the server ended by itself %d times and was started again; %s; verify ok",
		took, restarts, found))
}

// The power is cut under load, three times.
func TestPowerLoss(t *testing.T) {
	l := begin(t, "power loss",
		"with NUDGE_NO_SYNC=1: the next row")
	const cuts = 3
	d := newDisk(t)
	s := newServer(t, d.path)
	s.start()
	stop := s.load()
	for range cuts {
		s.acknowledged(time.Minute, 3000)
		acked := s.cutPower(d)
		if err := missing("log", acked, s.logAfter()); err != nil {
			t.Error(err)
		}
		s.start()
	}
	s.acknowledged(time.Minute, 1000)
	stop(time.Minute)
	found := s.settle(2 * time.Minute)
	s.stop()
	s.verify()
	l.set(fmt.Sprintf("%d times under load", cuts), found.String()+"; verify ok")
}

// The same with NUDGE_NO_SYNC: it shows that the cut takes what is not synced.
func TestPowerLossWithoutSync(t *testing.T) {
	l := begin(t, "power loss, NUDGE_NO_SYNC=1",
		"it is the row above, broken")
	l.unpromised = true
	d := newDisk(t)
	s := newServer(t, d.path, "NUDGE_NO_SYNC=1")
	s.start()
	stop := s.load()
	s.acknowledged(time.Minute, 5000)
	acked := s.cutPower(d)
	stop(0)
	lost, there := 0, s.logAfter()
	for n := range acked {
		if !there[fmt.Sprintf("m%d", n)] {
			lost++
		}
	}
	l.set("once under load", fmt.Sprintf(
		"%d of %d acknowledged events were lost: it shows that the row above can fail", lost, len(acked)))
	if lost == 0 {
		t.Log("nothing was lost: the file system had written everything by then")
	}
}

// cutPower cuts the disk, ends the processes, and mounts the disk again. It
// returns what was acknowledged before the cut, or after it all the same.
func (s *server) cutPower(d *disk) map[int]time.Time {
	s.t.Helper()
	before := s.book.count()
	d.cut()
	s.kill()
	acked := s.book.copied()
	s.t.Logf("%d acknowledged before the cut, %d when the server was gone", before, len(acked))
	d.unmount()
	d.mount()
	return acked
}

// logAfter reads a copy of the log, so that reading changes nothing.
func (s *server) logAfter() map[string]bool {
	s.t.Helper()
	to := s.t.TempDir()
	copyDir(s.t, filepath.Join(s.data, "log"), filepath.Join(to, "log"))
	return inLog(s.t, to)
}
