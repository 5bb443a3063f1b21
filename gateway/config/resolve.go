package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
)

// resolveChecks gives each server its checks: its own, else the service's, else the protocol's.
func (s *Service) resolveChecks() {
	if len(s.Checks) == 0 {
		s.Checks = []Check{defaultCheck(s.Protocol)}
	}
	for i := range s.Servers {
		server := &s.Servers[i]
		if len(server.Checks) == 0 {
			server.Checks = s.Checks
		}
		// Cloned, since each server's checks get their own address.
		server.Checks = slices.Clone(server.Checks)
		for j := range server.Checks {
			server.Checks[j].aim(s, server)
		}
	}
}

// aim fills in what a check of this server talks to.
func (c *Check) aim(s *Service, server *Server) {
	if c.Address == "" {
		c.Address = server.Host
	}
	if c.Port == 0 {
		c.Port = server.Port
	}
	if c.Port == 0 {
		c.Port = int(s.Listen[0].Port())
	}
	c.AETitle = s.titleOf(server)
	c.Fingerprint = c.fingerprint()
}

// titleOf is the called AE title that a server is taken to have: its own, else the one that clients ask the service for.
// Of several, or of patterns, none can be told.
func (s *Service) titleOf(server *Server) string {
	if server.AETitle != "" || s.Protocol != "dicom" {
		return server.AETitle
	}
	title, _ := s.DICOM.AcceptCalledAE.Literal()
	return title
}

// fingerprint hashes every setting, the certificates of files themselves included, so that a new file under the old name
// counts as a change. The private key of a client certificate is not part of it; its certificate speaks for it.
func (c *Check) fingerprint() string {
	bare := *c
	bare.Fingerprint = ""
	text, err := json.Marshal(bare)
	if err != nil {
		// Settings that cannot be written as JSON are a mistake of their package; never equal is the safe answer.
		return fmt.Sprintf("%p", c)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
