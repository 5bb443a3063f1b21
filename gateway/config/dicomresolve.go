package config

import (
	"time"

	"gantry/gateway/dicomgate"
)

// defaultAssociateTimeout is what a server has for its answer to an association request.
const defaultAssociateTimeout = 10 * time.Second

// finishDICOM fills in what follows from other keys.
func (s *Service) finishDICOM() {
	c := &s.DICOM
	if c.AssociateTimeout == 0 {
		c.AssociateTimeout = min(defaultAssociateTimeout, s.Timeouts.Handshake)
	}
	c.Accept = &dicomgate.Acceptance{Called: c.AcceptCalledAE, Calling: c.AcceptCallingAE, IgnoreCase: c.IgnoreAECase}
	for i := range s.Routes {
		s.Routes[i].When.IgnoreCase = c.IgnoreAECase
	}
}
