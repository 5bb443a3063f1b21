package main

import "gantry/gateway"

// Interface guard: the seam of run.go is the gateway's own API.
var _ process = (*gateway.Gateway)(nil)

// openGateway makes the real gateway.
func openGateway(o gatewayOptions) (process, error) {
	gw, err := gateway.New(gateway.Options{ConfigFile: o.ConfigFile, Version: o.Version, Logger: o.Logger})
	if err != nil {
		return nil, err
	}
	return gw, nil
}
