package tlscheck

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"

	"gantry/negotiate"
)

// validity finds the certificate of the chain that is the first to expire, and explains it if that is
// soon.
func (p *probe) validity(state tls.ConnectionState, now time.Time) *negotiate.Fault {
	chain := best(state.VerifiedChains)
	if chain == nil {
		chain = presented(state.PeerCertificates)
	}
	if p.days == 0 || len(chain) == 0 {
		return nil
	}
	first := earliest(chain)
	switch c := chain[first]; {
	case now.Before(chain[0].NotBefore): // only without verification
		return &negotiate.Fault{Stage: negotiate.StageAsk, Reason: negotiate.ReasonCertificate,
			Sentence: "its certificate is valid only from " + day(chain[0].NotBefore) + " on, and is accepted because it is not verified: check the clocks of both machines"}
	case c.NotAfter.Sub(now) < time.Duration(p.days)*24*time.Hour:
		return &negotiate.Fault{Stage: negotiate.StageAsk, Reason: negotiate.ReasonExpiring, Sentence: expiring(chain, first, now)}
	}
	return nil
}

// best is the chain that is valid longest: a server may send a second way to an old authority.
func best(chains [][]*x509.Certificate) []*x509.Certificate {
	var found []*x509.Certificate
	for _, chain := range chains {
		if found == nil || chain[earliest(chain)].NotAfter.After(found[earliest(found)].NotAfter) {
			found = chain
		}
	}
	return found
}

// earliest is the place of the certificate that expires first; of several, the one nearest to the server.
func earliest(chain []*x509.Certificate) int {
	first := 0
	for i, c := range chain {
		if c.NotAfter.Before(chain[first].NotAfter) {
			first = i
		}
	}
	return first
}

// maxChain bounds a chain that is put together here.
const maxChain = 8

// presented puts the chain together from what the server has sent, where nobody has verified it.
// What does not belong to it, such as a forgotten old authority, is left out.
func presented(certs []*x509.Certificate) []*x509.Certificate {
	if len(certs) == 0 {
		return nil
	}
	chain := certs[:1:1]
	for len(chain) < maxChain {
		issuer := issuerOf(chain[len(chain)-1], certs[1:])
		if issuer == nil {
			break
		}
		chain = append(chain, issuer)
	}
	return chain
}

// issuerOf finds who signed a certificate, nil if it is not there or has signed itself.
func issuerOf(c *x509.Certificate, among []*x509.Certificate) *x509.Certificate {
	if bytes.Equal(c.RawIssuer, c.RawSubject) {
		return nil
	}
	var found *x509.Certificate
	for _, a := range among[:min(len(among), maxChain)] {
		if bytes.Equal(a.RawSubject, c.RawIssuer) && c.CheckSignatureFrom(a) == nil &&
			(found == nil || a.NotAfter.After(found.NotAfter)) {
			found = a
		}
	}
	return found
}

// expiring says which certificate it is by its part in the chain, since its name may say nothing, and
// who has to do what.
func expiring(chain []*x509.Certificate, at int, now time.Time) string {
	c := chain[at]
	self := bytes.Equal(c.RawIssuer, c.RawSubject)
	switch {
	case at == 0:
		return "its certificate " + when(c.NotAfter, now) + ": renew it on the server"
	case self:
		return "the root certificate above its own " + when(c.NotAfter, now) +
			": the authority needs a new one, for the server and for tls.ca_file"
	default:
		return "the certificate of the authority that signed its own (intermediate certificate) " + when(c.NotAfter, now) +
			": get a new chain from the authority and install it on the server"
	}
}

// when tells the day and what is left until then.
func when(end, now time.Time) string {
	const aDay = 24 * time.Hour
	switch left := end.Sub(now); {
	case left < 0:
		return "expired on " + day(end) + ", and is accepted because it is not verified"
	case left < aDay:
		return fmt.Sprintf("expires on %s, in %d hours", day(end), int(left/time.Hour))
	case left < 2*aDay:
		return "expires on " + day(end) + ", in 1 day"
	default:
		return fmt.Sprintf("expires on %s, in %d days", day(end), int(left/aDay))
	}
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
