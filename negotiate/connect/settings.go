package connect

import "gantry/negotiate"

// Settings of the kind "connect": it has no keys of its own.
type Settings struct{}

var _ negotiate.Settings = (*Settings)(nil)

// Validate has nothing to complain about.
func (*Settings) Validate(func(key, got, want string)) {}

// Prober returns none: the monitor connects, and closes in the orderly way (FIN, not RST).
func (*Settings) Prober(negotiate.Target) (negotiate.Prober, error) { return nil, nil }
