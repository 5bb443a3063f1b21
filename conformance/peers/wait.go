package peers

import (
	"context"
	"fmt"
	"net"
	"time"
)

// pollEvery is how often a condition in another process is looked at.
const pollEvery = 10 * time.Millisecond

// Until calls ready until it returns nil. What ready said last is in the error when the context ends
// first. ready must be quick and must not change anything.
func Until(ctx context.Context, what string, ready func() error) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w: %v", what, ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// untilReady waits for a program that was just started; its end ends the waiting. On failure the program
// is stopped and its output becomes part of the error.
func untilReady(ctx context.Context, p *Process, ready func() error) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	go func() {
		select {
		case <-p.Done():
			cancel()
		case <-ctx.Done():
		}
	}()
	if err := Until(ctx, p.Name+" answers", ready); err != nil {
		p.Stop()
		return fmt.Errorf("%w; it wrote:\n%s", err, p.Log())
	}
	return nil
}

// accepts is the readiness of a program that says nothing by itself.
func accepts(addr string) func() error {
	return func() error {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			return err
		}
		return c.Close()
	}
}
