package config

import (
	"reflect"
	"slices"
	"time"

	"go.yaml.in/yaml/v4"
)

// The defaults of intervals that follow another one.
const (
	defaultCheckTimeout = 5 * time.Second
	defaultFastInterval = 2 * time.Second
)

// check decodes a check: its common keys and those of its kind stand in one mapping.
func (d *decoder) check(c *Check, pairs []pair, n *yaml.Node, path string) {
	slots := slotsOf(reflect.ValueOf(c).Elem())
	kind, known := typeOf(pairs)
	if known {
		settings, v := newSettings(kind)
		c.Settings = settings
		slots = append(slots, slotsOf(v)...)
	} else {
		// Without its kind nothing can be said about a kind's keys: they are passed over, the type is the problem.
		pairs = slices.DeleteFunc(pairs, func(p pair) bool { return !commonKey(slots, p.key.Value) })
	}
	before := len(d.problems)
	d.keys(inCheck, slots, pairs, n, path)
	if len(d.problems) == before && known {
		d.finishCheck(c, path)
	}
}

// commonKey reports whether a key is, or was meant to be, one that checks of all kinds have.
func commonKey(slots []slot, key string) bool {
	names := make([]string, len(slots))
	for i, s := range slots {
		names[i] = s.key
	}
	return slices.Contains(names, key) || kindWithKey(key) == "" && nearest(key, names) != ""
}

// typeOf returns the kind that a check names, and whether there is one.
func typeOf(pairs []pair) (string, bool) {
	for _, p := range pairs {
		if p.key.Value != "type" {
			continue
		}
		word := scalarOf(p.value)
		_, known := kinds[word]
		return word, known
	}
	return "", false
}

// scalarOf is the text of a single value, "" for anything else.
func scalarOf(n *yaml.Node) string {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}

// finishCheck fills in what follows from other keys, and lets the kind judge its own.
func (d *decoder) finishCheck(c *Check, path string) {
	if c.FastInterval > c.Interval {
		d.add(d.near(path, "fast_interval"), join(path, "fast_interval"), "longer than interval",
			shownDuration(c.FastInterval), "at most "+shownDuration(c.Interval))
	}
	c.fillIn()
	if c.MaxLatency >= c.Timeout {
		d.add(d.near(path, "max_latency"), join(path, "max_latency"), "not below timeout: a check that slow has failed already",
			shownDuration(c.MaxLatency), "less than "+shownDuration(c.Timeout)+", or a longer timeout")
	}
	if s, ok := c.Settings.(secure); ok && s.Secure() && c.TLS == nil {
		c.TLS = newTLS()
	}
	if c.TLS != nil && kinds[c.Type].runs {
		d.add(d.near(path, "tls"), join(path, "tls"), "a program connects by itself", "", "remove it; what the program needs stands in its arguments")
	}
	d.addressAndPort(c, path)
	if l, ok := c.Settings.(loader); ok {
		l.Load(d.readBeside)
	}
	c.Settings.Validate(func(key, got, want string) {
		d.add(d.near(path, key), join(path, key), "not usable", shortened(got), want)
	})
}

// addressAndPort reads a check's address; its port may stand in either of two keys, but say one thing.
func (d *decoder) addressAndPort(c *Check, path string) {
	host, port, _ := splitAddress(c.Address) // its form was checked before
	if port > 0 && c.Port > 0 && port != c.Port {
		d.add(d.near(path, "port"), join(path, "port"), "two different ports", "address "+quoted(c.Address), "write the port once")
	}
	if c.Address != "" {
		c.Address = host
	}
	if port > 0 {
		c.Port = port
	}
}

// near is where a key of a mapping stands, or the mapping when the key is absent.
func (d *decoder) near(path, key string) place {
	if p, ok := d.places[join(path, key)]; ok {
		return p
	}
	return d.places[path]
}

// fillIn sets what is absent and follows from other keys. The defaults shrink with a short interval, so that setting
// interval: 1s alone does what it seems to do.
func (c *Check) fillIn() {
	if c.Name == "" {
		c.Name = c.Type
	}
	if c.Timeout == 0 {
		c.Timeout = min(defaultCheckTimeout, c.Interval)
	}
	if c.FastInterval == 0 {
		c.FastInterval = min(defaultFastInterval, c.Interval)
	}
	if c.DownInterval == 0 {
		c.DownInterval = c.Interval
	}
}

// newTLS is an empty tls block.
func newTLS() *TLS {
	t := new(TLS)
	setDefaults(reflect.ValueOf(t).Elem())
	return t
}

// defaultCheck is the check of a service without checks.
func defaultCheck(protocol string) Check {
	kind := kindOfProtocol[protocol]
	if kind == "" {
		kind = "connect"
	}
	c := Check{Type: kind}
	setDefaults(reflect.ValueOf(&c).Elem())
	c.Settings, _ = newSettings(kind)
	c.fillIn()
	return c
}
