package peers

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clockTick is the kernel's unit of CPU time in /proc; it has been 1/100 s on Linux for every user program
// since 2.6.
const clockTick = 10 * time.Millisecond

// RSS is the program's resident memory in bytes, summed over its process group.
func (p *Process) RSS() (int64, error) { return p.memory("VmRSS:") }

// PeakRSS is the most resident memory that the program ever had, in bytes, summed over its process group.
func (p *Process) PeakRSS() (int64, error) { return p.memory("VmHWM:") }

func (p *Process) memory(field string) (int64, error) {
	var sum int64
	err := p.eachMember(func(pid int) error {
		kb, err := statusField(pid, field)
		sum += kb << 10
		return err
	})
	return sum, err
}

// Descriptors is the number of open file descriptors, summed over the process group.
func (p *Process) Descriptors() (int, error) {
	sum := 0
	err := p.eachMember(func(pid int) error {
		fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		sum += len(fds)
		return err
	})
	return sum, err
}

// CPU is the processor time used so far in user and kernel mode, summed over the process group.
func (p *Process) CPU() (time.Duration, error) {
	var sum time.Duration
	err := p.eachMember(func(pid int) error {
		f, err := statFields(pid)
		if err != nil {
			return err
		}
		user, _ := strconv.ParseInt(f[statUser], 10, 64)
		system, _ := strconv.ParseInt(f[statSystem], 10, 64)
		sum += time.Duration(user+system) * clockTick
		return nil
	})
	return sum, err
}

// Places in /proc/PID/stat after the command's closing bracket (proc(5) counts from 1 and the state is 3).
const (
	statGroup  = 5 - 3
	statUser   = 14 - 3
	statSystem = 15 - 3
)

// eachMember calls f for every process of the group; one that ends meanwhile is left out.
func (p *Process) eachMember(f func(pid int) error) error {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return err
	}
	found := false
	for _, dir := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		stat, err := statFields(pid)
		if err != nil || stat[statGroup] != strconv.Itoa(p.PID()) {
			continue
		}
		if err := f(pid); err == nil {
			found = true
		}
	}
	if !found {
		return fmt.Errorf("%s: no process in group %d", p.Name, p.PID())
	}
	return nil
}

// still is nil when every thread of the group is stopped, or has ended.
func (p *Process) still() error {
	var running error
	err := p.eachMember(func(pid int) error {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/[0-9]*/stat", pid))
		for _, thread := range threads {
			if stat, err := readStat(thread); err == nil && !strings.Contains("TZX", stat[0]) {
				running = fmt.Errorf("a thread of process %d is in state %s", pid, stat[0])
			}
		}
		return err
	})
	return errors.Join(err, running)
}

func statFields(pid int) ([]string, error) { return readStat(fmt.Sprintf("/proc/%d/stat", pid)) }

func readStat(file string) ([]string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	_, rest, _ := strings.Cut(string(b), ") ") // the command may hold blanks, never ") "
	f := strings.Fields(rest)
	if len(f) <= statSystem {
		return nil, fmt.Errorf("%s is short", file)
	}
	return f, nil
}

// statusField reads a number of kB from /proc/PID/status.
func statusField(pid int, key string) (int64, error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if f := strings.Fields(lines.Text()); len(f) > 1 && f[0] == key {
			return strconv.ParseInt(f[1], 10, 64)
		}
	}
	return 0, fmt.Errorf("%s is not in /proc/%d/status", key, pid)
}
