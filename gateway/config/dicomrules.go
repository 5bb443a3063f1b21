package config

import "fmt"

// foreign takes out of a service the keys that its protocol does not have, each with a problem: what they hold has
// another meaning there, or none.
func (d *decoder) foreign(pairs []pair, path string) []pair {
	protocol := protocolOf(pairs)
	if protocol == "dicom" || protocol == "" {
		return pairs
	}
	var own []pair
	for _, p := range pairs {
		switch key := p.key.Value; {
		case key != "dicom" && key != "routes":
			own = append(own, p)
		case key == "routes" && protocol == "mllp":
			d.add(at(p.key), join(path, key), "routes of protocol mllp are not served by this version of gantry", "",
				"remove it; every sender may reach every server")
		case protocol == "tcp" || protocol == "mllp":
			d.add(at(p.key), join(path, key), "only a service of protocol dicom has this key", "protocol "+protocol, insteadOf[key])
		}
	}
	return own
}

// insteadOf is what to do about a key of dicom services elsewhere.
var insteadOf = map[string]string{
	"dicom":  "remove it",
	"routes": "remove it; clients can be split by network: one service each, with allow",
}

// protocolOf is the protocol that a service names, "" when none can be read.
func protocolOf(pairs []pair) string {
	for _, p := range pairs {
		if p.key.Value == "protocol" {
			return scalarOf(p.value)
		}
	}
	return ""
}

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
