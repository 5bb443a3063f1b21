package tlscheck

import (
	"strconv"

	"gantry/negotiate"
)

// Settings of the kind "tls".
type Settings struct {
	// ExpiryDays is 0..MaxExpiryDays.
	ExpiryDays int `yaml:"expiry_days" default:"14" min:"0" max:"365" doc:"A server whose certificate, or one between it and the trusted authority, is valid for less than this many days is degraded. 0 = never; a certificate that has expired is a failure in any case, unless tls.verify is false."`
}

// Bounds and default of Settings.ExpiryDays.
const (
	DefaultExpiryDays = 14
	MaxExpiryDays     = 365
)

var _ negotiate.Settings = (*Settings)(nil)

// Secure reports that the check wants TLS by itself.
func (*Settings) Secure() bool { return true }

// Validate reports a number of days that makes no sense.
func (s *Settings) Validate(report func(key, got, want string)) {
	if s.ExpiryDays < 0 || s.ExpiryDays > MaxExpiryDays {
		report("expiry_days", strconv.Itoa(s.ExpiryDays), "write 0 to "+strconv.Itoa(MaxExpiryDays)+" days")
	}
}

// Prober builds the probe, which is the same for all servers.
func (s *Settings) Prober(negotiate.Target) (negotiate.Prober, error) {
	return &probe{days: s.ExpiryDays}, nil
}
