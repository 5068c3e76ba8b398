package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// clockTick is the unit of times in /proc: 100 a second on every Linux.
const clockTick = 10 * time.Millisecond

// CPU is processor time an event, in microseconds, of all cores together.
type CPU struct {
	Nudged      float64 `json:"nudged"`
	Clickhoused float64 `json:"clickhoused"`
	Bench       float64 `json:"bench"`
	// OthersCores is how many cores everything else on the machine kept busy
	// meanwhile. Far from zero, the figures say little.
	OthersCores float64 `json:"others_cores"`
}

// Memory is the resident memory at the end, in MiB.
type Memory struct {
	Nudged      int `json:"nudged"`
	Clickhoused int `json:"clickhoused"`
}

// usage is processor time so far. Where there is no /proc the server's is zero.
type usage struct {
	nudged, clickhoused, bench time.Duration
	machine                    time.Duration // of all processes
	at                         time.Time
}

func (s *Server) usage() usage {
	return usage{
		nudged: processTime(s.process.Process.Pid), clickhoused: processTime(s.child()), bench: ownTime(),
		machine: machineTime(), at: time.Now(),
	}
}

func (s *Server) memory() Memory {
	return Memory{Nudged: residentMiB(s.process.Process.Pid), Clickhoused: residentMiB(s.child())}
}

func (u usage) since(before usage, events int) CPU {
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(max(events, 1)) }
	nudged, clickhoused, bench := u.nudged-before.nudged, u.clickhoused-before.clickhoused, u.bench-before.bench
	others := u.machine - before.machine - nudged - clickhoused - bench
	return CPU{
		Nudged: each(nudged), Clickhoused: each(clickhoused), Bench: each(bench),
		OthersCores: max(0, others.Seconds()/u.at.Sub(before.at).Seconds()),
	}
}

// machineTime is the time that all cores together were busy: user, nice, system,
// irq, softirq and what the host took.
func machineTime() time.Duration {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	busy := int64(0)
	for i, field := range strings.Fields(line) {
		if i == 0 || i == 4 || i == 5 || i > 8 { // name, idle, iowait, guests
			continue
		}
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0
		}
		busy += n
	}
	return time.Duration(busy) * clockTick
}

// child is the process id of the server's clickhoused; 0 when it is not found.
func (s *Server) child() int {
	for _, pid := range children(s.process.Process.Pid) {
		return pid
	}
	return 0
}

// children are the process ids of a process's children.
func children(parent int) []int {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil
	}
	var found []int
	for _, path := range stats {
		fields := statFields(path)
		if len(fields) > 2 && fields[1] == strconv.Itoa(parent) {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
				found = append(found, pid)
			}
		}
	}
	return found
}

// familyTime is the time of a process and its children, those among them that ended.
func familyTime(pid int) time.Duration {
	all := processTime(pid) + timeOf(pid, 13)
	for _, child := range children(pid) {
		all += processTime(child)
	}
	return all
}

// statFields are the fields of a stat file after the program's name: state,
// parent, and so on.
func statFields(path string) []string {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
}

func processTime(pid int) time.Duration { return timeOf(pid, 11) }

// timeOf is user and system time, which are two fields of a stat file from first on.
func timeOf(pid, first int) time.Duration {
	fields := statFields(fmt.Sprintf("/proc/%d/stat", pid))
	if len(fields) < first+2 {
		return 0
	}
	user, err1 := strconv.ParseInt(fields[first], 10, 64)
	system, err2 := strconv.ParseInt(fields[first+1], 10, 64)
	if err1 != nil || err2 != nil {
		return 0
	}
	return time.Duration(user+system) * clockTick
}

func residentMiB(pid int) int {
	fields := statFields(fmt.Sprintf("/proc/%d/stat", pid))
	if len(fields) < 22 {
		return 0
	}
	pages, err := strconv.Atoi(fields[21])
	if err != nil {
		return 0
	}
	return pages * os.Getpagesize() >> 20
}

func ownTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
