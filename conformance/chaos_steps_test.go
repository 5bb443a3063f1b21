package conformance

import (
	"errors"
	"fmt"
	"time"

	"gantry/conformance/peers"
)

// chaosStep is something that goes wrong while a share of the messages is sent.
type chaosStep struct {
	name       string
	begin, end func(*chaos) error
	faulty     bool // it lasts until a receiver has done something wrong
}

// wrongly is a step in which one of the receivers of this process does something wrong in so many of a hundred messages.
func wrongly(receiver, percent int, fault ...string) chaosStep {
	name := ""
	for _, word := range fault {
		name += " " + word
	}
	return chaosStep{name[1:], func(c *chaos) error { return c.receivers[receiver].fails(percent, fault...) },
		func(c *chaos) error { return c.receivers[receiver].fails(0) }, true}
}

func mishap(name string, begin, end func(*chaos) error) chaosStep {
	return chaosStep{name, begin, end, false}
}

func chaosSteps() []chaosStep {
	return []chaosStep{
		mishap("nothing", nothing, nothing),
		wrongly(0, 5, "late=1500ms"),
		mishap("process killed and started again", killProcess, startProcess),
		wrongly(1, 5, "wrong-control-id"),
		mishap("process frozen until it is down", freezeUntilDown, thaw),
		wrongly(0, 0, "close-after-ack"),
		mishap("server drained, then ready", drain(0), ready(0)),
		wrongly(1, 0, "half-close-after-ack"),
		wrongly(0, 10, "ack=AE"),
		wrongly(1, 10, "ack=AR"),
		wrongly(0, 25, "ack=AR", "error=207"),
		mishap("configuration reloaded", reload, nothing),
		wrongly(1, 5, "half-close"),
		mishap("gateway stopped and started again", stopGateway, nothing),
		wrongly(0, 5, "empty-control-id"),
		mishap("process frozen for a moment", freeze, thaw),
		wrongly(0, 5, "lost-ack"),
		wrongly(1, 5, "stale-ack"),
		mishap("server in maintenance, then ready", maintenance(1), ready(1)),
		wrongly(0, 5, "double-ack"),
		wrongly(1, 5, "silent"),
		mishap("gateway killed and started again", killGateway, nothing),
		wrongly(1, 5, "reset"),
		mishap("all receivers gone for a while", allGone, nothing),
		wrongly(0, 5, "no-trailer"),
		wrongly(1, 5, "not-hl7"),
		wrongly(0, 0, "unasked-ack"),
		wrongly(0, 30, "commit-ack"),
		mishap("nothing any more", nothing, nothing),
	}
}

// gentleSteps are what administrators do, while receivers take their time: there is always something outstanding.
func gentleSteps() []chaosStep {
	return []chaosStep{
		mishap("answers after 20 ms", takeTime, nothing),
		mishap("server drained, then ready", drain(0), ready(0)),
		mishap("configuration reloaded", reload, nothing),
		mishap("gateway stopped and started again", stopGateway, nothing),
		mishap("other server drained, then ready", drain(1), ready(1)),
		mishap("gateway stopped and started again", stopGateway, nothing),
		mishap("nothing any more", nothing, nothing),
	}
}

// spreadSteps are of those that hurt one with many loops most.
func spreadSteps() []chaosStep {
	return []chaosStep{
		mishap("nothing", nothing, nothing),
		mishap("configuration reloaded", reload, nothing),
		wrongly(0, 5, "wrong-control-id"),
		mishap("process killed and started again", killProcess, startProcess),
		mishap("server drained, then ready", drain(0), ready(0)),
		wrongly(1, 0, "close-after-ack"),
		mishap("configuration reloaded", reload, nothing),
		mishap("gateway stopped and started again", stopGateway, nothing),
		wrongly(1, 5, "reset"),
		mishap("all receivers gone for a while", allGone, nothing),
		mishap("nothing any more", nothing, nothing),
	}
}

// takeTime lets the receivers of this process keep messages at once and answer a little later.
func takeTime(c *chaos) error {
	return errors.Join(c.receivers[0].fails(0, "late=20ms"), c.receivers[1].fails(0, "late=20ms"))
}

func nothing(*chaos) error { return nil }

func killProcess(c *chaos) error { c.receivers[2].kill(); return nil }

func startProcess(c *chaos) error { return c.receivers[2].start(c.ctx) }

func freeze(c *chaos) error { return c.receivers[2].process.Freeze(c.ctx) }

func thaw(c *chaos) error { return c.receivers[2].process.Thaw() }

func freezeUntilDown(c *chaos) error {
	if err := freeze(c); err != nil {
		return err
	}
	return c.gateway.AwaitState(c.ctx, "HL7", c.receivers[2].name, "down")
}

// allGone lets senders find out that nobody is there.
func allGone(c *chaos) error {
	for _, r := range c.receivers {
		r.kill()
	}
	broken := c.progress().broken
	if err := c.awaits("senders have lost connections", func() bool { return c.progress().broken > broken }); err != nil {
		return err
	}
	for _, r := range c.receivers {
		if err := r.start(c.ctx); err != nil {
			return err
		}
	}
	return nil
}

// stopGateway ends it as an administrator does, and starts it again: what it has received it finishes.
func stopGateway(c *chaos) error {
	c.count()
	code, err := c.gateway.Terminate(c.ctx)
	if err != nil || code != 0 {
		return fmt.Errorf("exit code %d: %w", code, err)
	}
	sane(c.t, c.gateway)
	return c.startGateway()
}

func killGateway(c *chaos) error {
	c.count()
	c.gateway.Kill()
	sane(c.t, c.gateway)
	return c.startGateway()
}

func drain(n int) func(*chaos) error { return order(n, "drain") }

func maintenance(n int) func(*chaos) error { return order(n, "maint") }

func ready(n int) func(*chaos) error { return order(n, "ready") }

// order tells the gateway what an administrator wants of a server.
func order(n int, what string) func(*chaos) error {
	return func(c *chaos) error {
		return c.gateway.SetServer(c.ctx, "HL7", c.receivers[n].name, peers.ServerChange{Admin: what})
	}
}

// reloads are how often the configuration changes, and how long each one holds.
const (
	reloads      = 6
	betweenLoads = 150 * time.Millisecond
)

// reload puts one configuration after the other in force; in each second one a server is missing.
func reload(c *chaos) error {
	for n := range reloads {
		if err := c.gateway.Write(c.configuration(n + 1)); err != nil {
			return err
		}
		if err := c.gateway.Reload(c.ctx); err != nil {
			return err
		}
		c.reaches(c.progress().ended+20, betweenLoads*10)
	}
	return nil
}
