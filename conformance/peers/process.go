package peers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// stopGrace is how long a program may take to end after SIGTERM before its group is killed.
const stopGrace = 10 * time.Second

// Command says how a program is started.
type Command struct {
	Name string   // for messages: "orthanc"
	Path string   // program, looked up in PATH when it holds no slash
	Args []string // without the program's own name
	Env  []string // added to our own environment
	Dir  string   // working directory, empty for ours

	// DeathSignal reaches the program when we die without having stopped it; zero is SIGKILL. Programs
	// with workers of their own (nginx) want SIGTERM, which they pass on.
	DeathSignal syscall.Signal
}

// Process is a running program. Stop it exactly once, or more often.
type Process struct {
	Name string

	cmd  *exec.Cmd
	log  *Log
	done chan struct{} // closed after the program ended
	err  error         // how it ended; to be read after done
}

// Start runs the program. The caller owns the Process and must Stop it.
func Start(c Command) (*Process, error) {
	p := &Process{Name: c.Name, log: newLog(), done: make(chan struct{})}
	p.cmd = exec.Command(c.Path, c.Args...)
	p.cmd.Env = append(os.Environ(), c.Env...)
	p.cmd.Dir = c.Dir
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.WaitDelay = time.Second // a grandchild that keeps our pipe must not hold Wait for ever
	death := c.DeathSignal
	if death == 0 {
		death = syscall.SIGKILL
	}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: death}
	if err := spawn(p.cmd); err != nil {
		return nil, fmt.Errorf("starting %s: %w", c.Name, err)
	}
	go p.wait()
	return p, nil
}

func (p *Process) wait() {
	p.err = p.cmd.Wait()
	p.log.end()
	close(p.done)
}

// PID is the program's process id, and the id of its process group.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Log is everything that the program has written so far.
func (p *Process) Log() string { return p.log.String() }

// Mark is the place where the program's next output will stand, for LogSince.
func (p *Process) Mark() int64 { return p.log.Mark() }

// LogSince is what the program has written from a mark on. It fails when that is more than a Log keeps.
func (p *Process) LogSince(mark int64) (string, error) { return p.log.Since(mark) }

// Await waits until the program has written a line that holds text, and returns that line. It gives up
// when the program ends or the context does.
func (p *Process) Await(ctx context.Context, text string) (string, error) {
	line, err := p.log.await(ctx, text)
	if err != nil {
		return "", fmt.Errorf("waiting for %q from %s: %w; it wrote:\n%s", text, p.Name, err, p.Log())
	}
	return line, nil
}

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Running reports whether the program has not ended yet.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Signal sends a signal to the program itself, not to its group.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// ExitCode waits for the program's end: its exit status, or -1 when a signal ended it.
func (p *Process) ExitCode(ctx context.Context) (int, error) {
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-ctx.Done():
		return 0, fmt.Errorf("%s still runs: %w", p.Name, ctx.Err())
	}
}

// Freeze stops the program and its children where they are (SIGSTOP), as a machine does that swaps: the
// kernel still accepts connections for it. It returns when none of their threads runs any more.
func (p *Process) Freeze(ctx context.Context) error {
	for {
		if err := syscall.Kill(-p.PID(), syscall.SIGSTOP); err != nil {
			return err
		}
		try, cancel := context.WithTimeout(ctx, freezeTry)
		err := Until(try, p.Name+" stands still", p.still)
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
		// A child that was stopped between vfork and exec holds its parent in the kernel, in state D: the parent does
		// not stop before the child has gone on.
		if err := p.Thaw(); err != nil {
			return err
		}
	}
}

// freezeTry is how long a program may take to stand still before it goes on for a moment and is stopped again.
const freezeTry = 250 * time.Millisecond

// Thaw lets a frozen program go on.
func (p *Process) Thaw() error { return syscall.Kill(-p.PID(), syscall.SIGCONT) }

// Kill ends the program and everything it started at once, as a power cut would, and waits for it.
func (p *Process) Kill() {
	p.killGroup()
	<-p.done
}

// Stop asks the program to end, kills its group when it does not, and waits.
func (p *Process) Stop() {
	if p == nil {
		return
	}
	_ = p.Signal(syscall.SIGTERM) // an error means that it has ended already
	_ = p.Thaw()                  // a frozen one hears nothing
	select {
	case <-p.done:
	case <-time.After(stopGrace):
	}
	p.Kill()
}

func (p *Process) killGroup() {
	err := syscall.Kill(-p.PID(), syscall.SIGKILL)
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		_ = p.cmd.Process.Kill()
	}
}

// spawn starts commands on one thread that lives as long as we do: the kernel sends Pdeathsig when the
// starting thread ends, and Go may end any other one.
var spawn = func() func(*exec.Cmd) error {
	type order struct {
		cmd *exec.Cmd
		err chan error
	}
	orders := make(chan order)
	run := sync.OnceFunc(func() {
		go func() {
			runtime.LockOSThread()
			for o := range orders {
				o.err <- o.cmd.Start()
			}
		}()
	})
	return func(cmd *exec.Cmd) error {
		run()
		o := order{cmd, make(chan error)}
		orders <- o
		return <-o.err
	}
}()
