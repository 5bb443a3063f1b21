package execcheck

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Times of a run.
const (
	// KillWait lies between SIGTERM and SIGKILL. It is taken off the time that the program has.
	KillWait = 250 * time.Millisecond
	// GiveUpWait is how long the end of a killed program is waited for.
	GiveUpWait = time.Second
	// OutputWait is how long output is waited for when the program has ended and something that it
	// started, outside its process group, still holds it open.
	OutputWait = 100 * time.Millisecond
)

// process is one started program. Its group may be signalled until it is reaped, not later: its
// number could belong to somebody else then.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it was reaped

	mu     sync.Mutex
	reaped bool
}

// run starts the program and waits for its end, until ctx ends and a little longer. An error means
// that it was not started.
func (p *probe) run(ctx context.Context) (ending, error) {
	out, err := newCatcher()
	if err != nil {
		return ending{}, err
	}
	defer out.close()
	problems, err := newCatcher()
	if err != nil {
		return ending{}, err
	}
	defer problems.close()
	running, err := p.start(out, problems)
	if err != nil {
		return ending{}, err
	}
	late, gone := running.wait(ctx)
	if !gone {
		p.abandon(running)
		return ending{late: true}, nil
	}
	end := ending{late: late, line: firstLine(out.text())}
	if end.line == "" {
		end.line = firstLine(problems.text())
	}
	state, _ := running.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if end.code = state.ExitStatus(); state.Signaled() {
		end.signal = state.Signal()
	}
	return end, nil
}

// start leaves a goroutine that reaps the process.
func (p *probe) start(out, problems *catcher) (*process, error) {
	group, err := ownGroup()
	if err != nil {
		return nil, err
	}
	cmd := &exec.Cmd{
		Path: p.path, Args: append([]string{p.path}, p.args...), Env: p.env, Dir: "/",
		Stdout: out.w, Stderr: problems.w, SysProcAttr: group,
	}
	err = cmd.Start()
	out.started()
	problems.started()
	if err != nil {
		return nil, err
	}
	running := &process{cmd: cmd, ended: make(chan struct{})}
	go running.reap()
	return running, nil
}

// reap waits for the program's end, kills what it leaves in its group, and takes its exit code.
func (r *process) reap() {
	defer close(r.ended)
	awaitExit(r.cmd.Process.Pid)
	r.mu.Lock()
	defer r.mu.Unlock()
	signalGroup(r.cmd, syscall.SIGKILL)
	_ = r.cmd.Wait() // the state says it all
	r.reaped = true
}

// signal reaches the program and all in its group.
func (r *process) signal(s syscall.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.reaped {
		signalGroup(r.cmd, s)
	}
}

// wait returns when the program has ended. late tells that it had to be told to, gone that it has.
func (r *process) wait(ctx context.Context) (late, gone bool) {
	enough, cancel := earlier(ctx)
	defer cancel()
	select {
	case <-r.ended:
		return false, true
	case <-enough.Done():
	}
	r.signal(syscall.SIGTERM)
	if r.within(KillWait) {
		return true, true
	}
	r.signal(syscall.SIGKILL)
	return true, r.within(GiveUpWait)
}

// within reports whether the program ends in time.
func (r *process) within(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-r.ended:
		return true
	case <-timer.C:
		return false
	}
}

// earlier ends KillWait before ctx, so that a program that heeds SIGTERM is gone in time; of a very
// short time it takes a quarter.
func earlier(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-min(KillWait, time.Until(deadline)/4)))
}

// abandon leaves a program alone that not even SIGKILL ends, and remembers it until it has.
func (p *probe) abandon(r *process) {
	p.stuck.Add(1)
	go func() {
		<-r.ended
		p.stuck.Add(-1)
	}()
}

// cause is the error of a start without the path.
func cause(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	var se *os.SyscallError
	if errors.As(err, &se) {
		err = se.Err
	}
	return err.Error()
}
