package balancing

import (
	"math"
	"math/rand/v2"
)

// leastConnections takes the smallest (running + 1) / effective weight. Among
// equals the one that was chosen longest ago comes first: with idle servers
// that is plain rotation, whatever subset of them is tied.
func (p *Pool) leastConnections(g *rung, r *Request) *member {
	var best *member
	var load, share int64 // of best
	for _, m := range g.members {
		if !g.candidate(m, r) {
			continue
		}
		l, w := m.server.active.Load()+1, m.server.share(r.Now)
		// l/w < load/share, without dividing
		if left, right := l*share, load*w; best == nil || left < right ||
			left == right && m.last.Load() < best.last.Load() {
			best, load, share = m, l, w
		}
	}
	if best != nil {
		best.last.Store(p.turn.Add(1))
	}
	return best
}

// roundRobin is the smooth weighted round-robin of nginx: everyone gains its
// effective weight, the richest serves and pays the sum. Weights 5, 1, 1 give
// a a b a c a a: never a burst.
func (p *Pool) roundRobin(g *rung, r *Request) *member {
	p.wheel.Lock()
	defer p.wheel.Unlock()
	var best *member
	var sum int64
	for _, m := range g.members {
		if !g.candidate(m, r) {
			continue
		}
		w := m.server.share(r.Now)
		m.current += w
		sum += w
		if best == nil || m.current > best.current {
			best = m
		}
	}
	if best != nil {
		best.current -= sum
	}
	return best
}

// randomTwo draws two different candidates by effective weight and takes the
// one with less running per weight; the first drawn when they are equal, so
// that idle servers still share by weight.
func (g *rung) randomTwo(r *Request) *member {
	a, b := g.draw(rand.Uint64(), r)
	if b == nil {
		return a
	}
	x := a.server.active.Load() * b.server.share(r.Now)
	y := b.server.active.Load() * a.server.share(r.Now)
	if y < x {
		return b
	}
	return a
}

// sourceHash is weighted rendezvous hashing. A server that goes takes only its
// own clients along, a weight that changes moves only the clients it must, and
// two gateways agree because only names, weights and the key go in.
func (g *rung) sourceHash(r *Request) *member {
	m, _ := g.draw(keyHash(r.Key), r)
	return m
}

// draw lets each candidate draw a lot from ticket and its name, exponentially
// distributed with its effective weight as rate, and returns the two smallest.
// That is a draw by weight without putting back: by chance when the ticket is
// random, always the same when it is a client's.
func (g *rung) draw(ticket uint64, r *Request) (first, second *member) {
	var one, two lot
	for _, m := range g.members {
		if !g.candidate(m, r) {
			continue
		}
		h, w := mix(ticket, m.server.hash), m.server.share(r.Now)
		if w == two.w && h <= two.h {
			continue // the common loser, without a call
		}
		l := lot{m, h, w}
		switch {
		case l.before(&one):
			one, two = l, one
		case l.before(&two):
			two = l
		}
	}
	return one.m, two.m
}

// lot is what one candidate drew: its number is -ln(unit(h))/w.
type lot struct {
	m *member // nil = nobody drew yet
	h uint64
	w int64
}

// before says whether l is the smaller number. It turns to floating point, and
// to logarithms, which cost more than all the rest, only when it must: not among
// equal weights, and not when 1-u <= -ln(u) <= (1-u)/u tells already.
func (l *lot) before(o *lot) bool {
	if o.m == nil || l.w == o.w {
		return o.m == nil || l.h > o.h
	}
	u, v := unit(l.h), unit(o.h)
	w, x := float64(l.w), float64(o.w)
	if (1-u)*x*v >= (1-v)*w {
		return false
	}
	return math.Log(u)*x > math.Log(v)*w
}
