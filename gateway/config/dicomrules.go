package config

import "fmt"

// dicomRules checks what the keys of a dicom service say together.
func (d *decoder) dicomRules(s *Service, path string) {
	d.rememberedByTitle(s, path)
	if s.Protocol != "dicom" {
		return
	}
	block, c := path+".dicom", s.DICOM
	if c.AssociateTimeout > s.Timeouts.Handshake {
		d.add(d.near(block, "associate_timeout"), block+".associate_timeout", "longer than timeouts.handshake", shownDuration(c.AssociateTimeout),
			"at most "+shownDuration(s.Timeouts.Handshake)+", or a longer timeouts.handshake")
	}
	if c.ResponseTimeout > 0 && !c.Inspect {
		d.add(d.near(block, "response_timeout"), block+".response_timeout", "answers are not looked at with inspect: false", shownDuration(c.ResponseTimeout),
			"remove one of them")
	}
	d.queueRules(s, block)
	d.routeRules(s, path)
}

// rememberedByTitle: only an association has a calling AE title.
func (d *decoder) rememberedByTitle(s *Service, path string) {
	if s.Persistence.By != "calling-ae" || s.Protocol == "dicom" || s.Protocol == "" {
		return
	}
	if at, own := d.places[path+".persistence.by"]; own {
		d.add(at, path+".persistence.by", "only clients of protocol dicom have a calling AE title", "protocol "+s.Protocol, "write source-ip or none")
		return
	}
	d.add(d.near(path, "persistence"), path, "only clients of protocol dicom have a calling AE title, and defaults says persistence: {by: calling-ae}",
		"protocol "+s.Protocol, "add persistence: {by: source-ip} here")
}

// queueRules: a queue that nothing can ever lead to, or that does not exist, was meant otherwise.
func (d *decoder) queueRules(s *Service, block string) {
	c := s.DICOM
	if at, given := d.places[block+".queue_timeout"]; given && c.Queue == 0 {
		d.add(at, block+".queue_timeout", "nothing waits: queue is 0", shownDuration(c.QueueTimeout), "set queue too, or remove it")
	}
	if c.Queue == 0 || c.AssociationsPerCallingAE > 0 {
		return
	}
	for _, server := range s.Servers {
		if server.MaxConnections > 0 {
			return
		}
	}
	d.add(d.near(block, "queue"), block+".queue", "nothing would ever wait: no place can be taken", fmt.Sprint(c.Queue),
		"set max_connections at the servers, or associations_per_calling_ae; or remove it")
}
