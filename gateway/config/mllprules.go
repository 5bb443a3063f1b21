package config

import (
	"strconv"
	"strings"
)

// messages tells whether a service routes each message by itself.
func (s *Service) messages() bool { return s.Protocol == "mllp" && s.MLLP.Routing == perMessage }

// finishPersistence fills in what follows from how messages are routed.
func (d *decoder) finishPersistence(s *Service, path string) {
	_, own := d.places[path+".persistence.by"]
	_, inherited := d.places["defaults.persistence.by"]
	switch {
	case !s.messages() || own:
	case s.MLLP.OrderBy != nil:
		s.Persistence.By = "order-by"
	case !inherited:
		s.Persistence.By = "none"
	}
}

// mllpRules checks what the keys of an mllp service say together.
func (d *decoder) mllpRules(s *Service, path string) {
	d.rememberedByOrder(s, path)
	if s.Protocol != "mllp" || d.troubled(path+".mllp.routing") {
		return
	}
	if !s.messages() {
		d.needsPerMessage(path)
		return
	}
	block, c := path+".mllp", s.MLLP
	if c.Pipelining > 1 && c.AckMatch == "loose" {
		d.add(d.near(block, "pipelining"), block+".pipelining", "ack_match: loose cannot tell which of several messages is answered",
			strconv.Itoa(c.Pipelining), "write pipelining: 1, or ack_match: strict")
	}
	if c.Memory < c.MaxMessage {
		d.add(d.near(block, "memory"), block+".memory", "less than max_message: the largest message would not fit", shownSize(c.Memory),
			"at least "+shownSize(c.MaxMessage)+", or a smaller max_message")
	}
	d.routeRules(s, path)
}

// needsPerMessage reports, once, the keys that mean nothing for whole connections.
func (d *decoder) needsPerMessage(path string) {
	var first place
	var where string
	var keys []string
	note := func(sub, key string) {
		p, given := d.places[sub]
		if !given {
			return
		}
		if keys = append(keys, key); where == "" || p.line < first.line || p.line == first.line && p.col < first.col {
			first, where = p, sub
		}
	}
	for _, f := range fieldsOf(inMLLP) {
		if f.key != "routing" {
			note(path+".mllp."+f.key, f.key)
		}
	}
	note(path+".routes", "routes")
	switch {
	case len(keys) == 0:
	case len(keys) == 1 && keys[0] == "routes":
		d.add(first, where, "needs mllp: {routing: per-message}: one connection brings messages of all kinds", "", "add it, or remove the routes")
	case len(keys) == 1:
		d.add(first, where, "needs routing: per-message", "", "add it, or remove "+keys[0])
	default:
		d.add(first, where, "needs routing: per-message, as all of these do: "+strings.Join(keys, ", "), "", "add it, or remove them")
	}
}

// rememberedByOrder: what messages are ordered by decides where they go, and nothing else is there to be remembered.
func (d *decoder) rememberedByOrder(s *Service, path string) {
	at, own := d.places[path+".persistence.by"]
	ordered := s.messages() && s.MLLP.OrderBy != nil
	if s.Protocol == "" || d.troubled(path+".mllp") || d.troubled(path+".persistence.by") || ordered == (s.Persistence.By == "order-by") {
		return
	}
	wrong, add := "only an mllp service has an order_by to go by", ""
	if s.Protocol == "mllp" {
		wrong, add = "there is no order_by to go by", "add mllp: {routing: per-message, order_by: PID-3.1}, or "
	}
	switch {
	case ordered:
		d.add(at, path+".persistence.by", "order_by keeps the messages of one value on one server", quoted(s.Persistence.By), "write order-by, or remove it")
	case own:
		d.add(at, path+".persistence.by", wrong, quoted(s.Persistence.By), add+"write source-ip or none")
	default:
		if add == "" {
			add = "add "
		}
		d.add(d.near(path, "persistence"), path, wrong+", and defaults says persistence: {by: order-by}", "", add+"persistence: {by: source-ip} here")
	}
}
