package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// giveWay lowers the priority of this process's threads, and so of all that they start: on
// Linux a priority belongs to a thread. It comes before the engine starts its own. A thread
// that started while the others were listed is found by the second look.
func giveWay(nice int) error {
	if nice == 0 {
		return nil
	}
	for range 2 {
		// Only Linux lists the threads of a process here; elsewhere --nice is an error.
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("--nice: %w", err)
		}
		for _, t := range threads {
			id, err := strconv.Atoi(t.Name())
			if err != nil {
				return fmt.Errorf("--nice: %w", err)
			}
			err = syscall.Setpriority(syscall.PRIO_PROCESS, id, nice)
			if err != nil && !errors.Is(err, syscall.ESRCH) { // it has ended
				return fmt.Errorf("--nice: %w", err)
			}
		}
	}
	return nil
}
