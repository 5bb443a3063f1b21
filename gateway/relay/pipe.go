package relay

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// minPipe is the least useful capacity: beyond its share of pipe pages an
	// unprivileged user gets pipes of one or two pages, slower than copying.
	minPipe = 64 << 10
	// keepPipes is how many empty pipes stay open for the next bulk flow.
	keepPipes = 32
	// pipePause is how long no pipe is tried for after the kernel refused one.
	pipePause = time.Second
)

// pipe is a kernel buffer with both ends in this process.
type pipe struct {
	r, w, size int
}

// pipePool lends pipes out, a bounded number in all.
type pipePool struct {
	mu         sync.Mutex
	free       []*pipe
	open, max  int
	pauseUntil time.Time
	closed     bool
}

func newPipePool(max int) *pipePool { return &pipePool{max: max} }

// take returns an empty pipe, or nil when there is none to be had: the caller
// copies instead.
func (p *pipePool) take() *pipe {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.free); n > 0 {
		pp := p.free[n-1]
		p.free = p.free[:n-1]
		return pp
	}
	if p.open >= p.max || time.Now().Before(p.pauseUntil) {
		return nil
	}
	pp := newPipe()
	if pp == nil {
		p.pauseUntil = time.Now().Add(pipePause)
		return nil
	}
	p.open++
	return pp
}

// give takes a pipe back. One that still holds bytes must come by drop.
func (p *pipePool) give(pp *pipe) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.free) < keepPipes && !p.closed {
		p.free = append(p.free, pp)
		return
	}
	p.open--
	pp.close()
}

func (p *pipePool) drop(pp *pipe) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open--
	pp.close()
}

func (p *pipePool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, pp := range p.free {
		pp.close()
	}
	p.open -= len(p.free)
	p.free = nil
}

func newPipe() *pipe {
	var fd [2]int
	if unix.Pipe2(fd[:], unix.O_NONBLOCK|unix.O_CLOEXEC) != nil {
		return nil
	}
	pp := &pipe{r: fd[0], w: fd[1]}
	// A refusal to enlarge is fine as long as the default is usable.
	_, _ = unix.FcntlInt(uintptr(pp.w), unix.F_SETPIPE_SZ, PipeSize)
	size, err := unix.FcntlInt(uintptr(pp.w), unix.F_GETPIPE_SZ, 0)
	if err != nil || size < minPipe {
		pp.close()
		return nil
	}
	pp.size = size
	return pp
}

func (p *pipe) close() {
	_ = unix.Close(p.r)
	_ = unix.Close(p.w)
}
