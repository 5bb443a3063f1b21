package execcheck

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"

	"gantry/negotiate"
)

// Exit codes of monitoring plugins, and those of shells that found nothing to run.
const (
	exitOK            = 0
	exitWarning       = 1
	exitCritical      = 2
	exitUnknown       = 3
	exitNotExecutable = 126
	exitNotFound      = 127
)

// probe is one configured program. It is safe for several runs at once.
type probe struct {
	name, path string // name is the last element of path, for words
	args, env  []string
	stuck      atomic.Int32 // runs that were given up and have not ended yet
}

var _ negotiate.Standalone = (*probe)(nil)

// Standalone says that the program connects by itself.
func (*probe) Standalone() {}

// Negotiate runs the program once; conn is not used.
func (p *probe) Negotiate(ctx context.Context, _ net.Conn) error {
	negotiate.Enter(ctx, negotiate.StageAsk)
	if p.stuck.Load() > 0 {
		return p.local("an earlier run of "+p.name+" cannot be killed: it hangs in the kernel, often on a file system that does not answer", nil)
	}
	end, err := p.run(ctx)
	if err != nil {
		return p.local("cannot start "+p.name+" ("+cause(err)+"): check its path, its rights and its first line", err)
	}
	if fault := p.judge(ctx, end); fault != nil {
		return fault
	}
	return nil
}

// judge turns the end of a run into what it says about the server.
func (p *probe) judge(ctx context.Context, end ending) *negotiate.Fault {
	switch {
	case end.late:
		return &negotiate.Fault{Stage: negotiate.StageAsk, Reason: negotiate.ReasonTimeout,
			Sentence: p.name + " is not done within " + negotiate.Within(ctx) + ": the server keeps it waiting, or it needs a longer timeout"}
	case end.signal != 0:
		return p.local(fmt.Sprintf("%s was ended by a signal (%s): it crashed, or somebody killed it", p.name, end.signal), nil)
	}
	switch end.code {
	case exitOK:
		return nil
	case exitWarning:
		negotiate.Degrade(ctx, p.says("warning", end))
		return nil
	case exitCritical:
		return p.says("critical", end)
	case exitUnknown:
		f := p.says("unknown", end)
		f.Reason = negotiate.ReasonLocal
		f.Sentence += "; this says nothing about the server"
		return f
	case exitNotExecutable, exitNotFound:
		return p.local(fmt.Sprintf("%s found no program to run (exit code %d)%s", p.name, end.code, quoted(end.line)), nil)
	}
	return p.says("that something failed", end)
}

// says is the program's own judgement, with its first line.
func (p *probe) says(what string, end ending) *negotiate.Fault {
	return &negotiate.Fault{Stage: negotiate.StageAsk, Reason: negotiate.ReasonBadStatus,
		Sentence: fmt.Sprintf("%s says %s (exit code %d)%s", p.name, what, end.code, quoted(end.line))}
}

// local is trouble on this machine.
func (p *probe) local(sentence string, err error) *negotiate.Fault {
	return &negotiate.Fault{Stage: negotiate.StageAsk, Reason: negotiate.ReasonLocal, Err: err,
		Sentence: "gantry could not check: " + sentence + "; this says nothing about the server"}
}

// quoted is a line of output as the end of a sentence.
func quoted(line string) string {
	if line == "" {
		return ""
	}
	return ": " + line
}

// ending is how a run came to its end.
type ending struct {
	code   int
	signal syscall.Signal // that ended it; 0 = it ended by itself
	late   bool           // its time was up
	line   string         // first line that it printed, fit for a sentence
}
