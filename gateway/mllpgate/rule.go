package mllpgate

import (
	"net/netip"
	"slices"

	"gantry/protocols/hl7"
)

// conditionEmpty is the word for MSH-15 and MSH-16 without one of table 0155.
const conditionEmpty = "empty"

// Rule is what a message must show to take a route. Every list that is there must be met, each by one of its entries;
// the zero value is met by all messages. The tags are those of a configuration's keys.
type Rule struct {
	SendingApplication   Patterns     `yaml:"sending_application" format:"hl7-pattern" min:"1" max:"64" doc:"MSH-3, the sending application."`
	SendingFacility      Patterns     `yaml:"sending_facility" format:"hl7-pattern" min:"1" max:"64" doc:"MSH-4, the sending facility."`
	ReceivingApplication Patterns     `yaml:"receiving_application" format:"hl7-pattern" min:"1" max:"64" doc:"MSH-5, the receiving application."`
	ReceivingFacility    Patterns     `yaml:"receiving_facility" format:"hl7-pattern" min:"1" max:"64" doc:"MSH-6, the receiving facility."`
	MessageType          TypePatterns `yaml:"message_type" format:"message-type" min:"1" max:"64" doc:"MSH-9, the type: CODE, CODE^TRIGGER or CODE^TRIGGER^STRUCTURE."`
	ProcessingID         Patterns     `yaml:"processing_id" format:"hl7-pattern" min:"1" max:"64" doc:"MSH-11, the processing id: P (production), T (training), D (debugging)."`
	Version              Patterns     `yaml:"version" format:"hl7-pattern" min:"1" max:"64" doc:"MSH-12, the version, such as 2.3.1 or \"2.5*\"."`
	AcceptAck            []string     `yaml:"accept_ack" enum:"AL,NE,ER,SU,empty" min:"1" max:"5" doc:"MSH-15, when the sender wants an accept acknowledgement; empty = the field is."`
	ApplicationAck       []string     `yaml:"application_ack" enum:"AL,NE,ER,SU,empty" min:"1" max:"5" doc:"MSH-16, when the sender wants an application acknowledgement; empty = the field is."`
	// Source passes over the zone of an address and over IPv4 written as IPv6.
	Source []netip.Prefix `yaml:"source" min:"1" max:"64" doc:"The client's address."`
}

// Always tells whether every message takes the route.
func (r *Rule) Always() bool {
	return len(r.SendingApplication)+len(r.SendingFacility)+len(r.ReceivingApplication)+len(r.ReceivingFacility)+
		len(r.MessageType)+len(r.ProcessingID)+len(r.Version)+len(r.AcceptAck)+len(r.ApplicationAck)+len(r.Source) == 0
}

// Match tells whether a message from that address takes the route. Of a batch, MSH-3 to MSH-6 are those of its header
// where that has them; all else is that of the first message in it.
func (r *Rule) Match(e *Envelope, source netip.Addr) bool {
	return r.comesFrom(source) && r.MessageType.match(e.first) &&
		r.SendingApplication.match(e, hl7.SendingApplication) && r.SendingFacility.match(e, hl7.SendingFacility) &&
		r.ReceivingApplication.match(e, hl7.ReceivingApplication) && r.ReceivingFacility.match(e, hl7.ReceivingFacility) &&
		r.ProcessingID.match(e, hl7.ProcessingID) && r.Version.match(e, hl7.VersionID) &&
		asks(r.AcceptAck, e.first, hl7.AcceptCondition) && asks(r.ApplicationAck, e.first, hl7.ApplicationCondition)
}

func asks(words []string, header hl7.Segment, field int) bool {
	if len(words) == 0 {
		return true
	}
	word := header.Condition(field)
	if word == "" {
		word = conditionEmpty
	}
	return slices.Contains(words, word)
}

func (r *Rule) comesFrom(source netip.Addr) bool {
	source = source.Unmap().WithZone("")
	for _, network := range r.Source {
		if network.Contains(source) {
			return true
		}
	}
	return len(r.Source) == 0
}

// Rules are tried in their order.
type Rules []Rule

// Find gives the index of the first rule that a message takes, -1 if it takes none.
func (rs Rules) Find(e *Envelope, source netip.Addr) int {
	for i := range rs {
		if rs[i].Match(e, source) {
			return i
		}
	}
	return -1
}
