package dicomgate

import (
	"net/netip"

	"gantry/protocols/dicom"
)

// MaxSyntaxes is how many transfer syntaxes of one presentation context a route looks at; a request of the largest size
// could name a hundred thousand, and devices name some dozens.
const MaxSyntaxes = 64

// Route is what a request must show to take a route. Every list that is there must be met, each by one of its entries;
// the zero value is met by all requests. The tags are those of a configuration's keys.
type Route struct {
	CalledAE  Patterns `yaml:"called_ae" format:"ae-pattern" min:"1" max:"64" doc:"The called AE title."`
	CallingAE Patterns `yaml:"calling_ae" format:"ae-pattern" min:"1" max:"64" doc:"The calling AE title."`
	// SOPClass and TransferSyntax must be met by one proposed presentation context together.
	SOPClass       Syntaxes       `yaml:"sop_class" format:"sop-class" min:"1" max:"64" doc:"The SOP class (abstract syntax) of a proposed presentation context."`
	TransferSyntax Syntaxes       `yaml:"transfer_syntax" format:"transfer-syntax" min:"1" max:"64" doc:"A transfer syntax of a proposed presentation context; with sop_class: of a context that proposes both."`
	Source         []netip.Prefix `yaml:"source" min:"1" max:"64" doc:"The client's address."`
	// ImplementationClass is met only by requests that name one.
	ImplementationClass Patterns `yaml:"implementation_class" format:"uid-pattern" min:"1" max:"64" doc:"The implementation class UID, which tells the software of the client."`
	// IgnoreCase is about letters in AE titles.
	IgnoreCase bool `yaml:"-"`
}

// Always tells whether every request takes the route.
func (r *Route) Always() bool {
	return len(r.CalledAE)+len(r.CallingAE)+len(r.SOPClass)+len(r.TransferSyntax)+len(r.Source)+len(r.ImplementationClass) == 0
}

// Match tells whether a request from that address takes the route.
func (r *Route) Match(rq *dicom.AssociateRQ, source netip.Addr) bool {
	return r.CalledAE.Match(bareTitle(rq.CalledAE), r.IgnoreCase) &&
		r.CallingAE.Match(bareTitle(rq.CallingAE), r.IgnoreCase) &&
		r.comesFrom(source) && r.madeBy(rq.ImplementationClassUID) && r.proposed(rq.Contexts)
}

func (r *Route) madeBy(implementation string) bool {
	return len(r.ImplementationClass) == 0 || implementation != "" && r.ImplementationClass.Match(implementation, false)
}

// comesFrom passes over the zone of an address and over IPv4 written as IPv6.
func (r *Route) comesFrom(source netip.Addr) bool {
	source = source.Unmap().WithZone("")
	for _, network := range r.Source {
		if network.Contains(source) {
			return true
		}
	}
	return len(r.Source) == 0
}

// proposed tells whether one context has both what is asked for.
func (r *Route) proposed(contexts []dicom.PresentationContext) bool {
	if len(r.SOPClass)+len(r.TransferSyntax) == 0 {
		return true
	}
	for _, c := range contexts {
		if r.SOPClass.Match(c.AbstractSyntax) && r.offers(c.TransferSyntaxes) {
			return true
		}
	}
	return false
}

func (r *Route) offers(transferSyntaxes []string) bool {
	for _, uid := range transferSyntaxes[:min(len(transferSyntaxes), MaxSyntaxes)] {
		if r.TransferSyntax.Match(uid) {
			return true
		}
	}
	return len(r.TransferSyntax) == 0
}

// Routes are tried in their order.
type Routes []Route

// Find gives the index of the first route that a request takes, -1 if it takes none.
func (rs Routes) Find(rq *dicom.AssociateRQ, source netip.Addr) int {
	for i := range rs {
		if rs[i].Match(rq, source) {
			return i
		}
	}
	return -1
}
