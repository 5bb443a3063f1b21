package balancing

import (
	"math"
	"math/bits"
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
	a := g.draw(r, nil)
	if a == nil {
		return nil
	}
	b := g.draw(r, a)
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

// draw takes one candidate other than not, with chances by effective weight, in
// one pass: each candidate replaces the one held with the chance of its weight
// in the sum so far.
func (g *rung) draw(r *Request, not *member) (held *member) {
	var sum int64
	for _, m := range g.members {
		if m == not || !g.candidate(m, r) {
			continue
		}
		w := m.server.share(r.Now)
		sum += w
		if rand.Int64N(sum) < w {
			held = m
		}
	}
	return held
}

// sourceHash is weighted rendezvous hashing: each server draws from the key a
// number that is exponentially distributed with its weight as rate, the smallest
// serves. A server that goes takes only its own clients along, a weight that
// changes moves only the clients it must, and two gateways agree because
// nothing but names, weights and the key goes in.
func (g *rung) sourceHash(r *Request) *member {
	var best *member
	least := math.Inf(1)
	k := keyHash(r.Key)
	for _, m := range g.members {
		if !g.candidate(m, r) {
			continue
		}
		if e := exponential(mix(k, m.server.hash)) / float64(m.server.share(r.Now)); e < least {
			best, least = m, e
		}
	}
	return best
}

// exponential turns 64 even bits into an exponentially distributed number > 0.
func exponential(h uint64) float64 {
	return -math.Log((float64(h>>11) + 0.5) / (1 << 53))
}

// mix folds a 128-bit product: every bit of both words reaches every bit out.
// The constants are those of wyhash; the outcome must not change between
// versions, or a mixed pair would disagree about clients.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0xa0761d6478bd642f, b^0xe7037ed1a0b428db)
	h := hi ^ lo
	h ^= h >> 32
	h *= 0x8ebc6af09c88c6e3
	return h ^ h>>29
}

// keyHash folds a key into one word.
func keyHash(k Key) uint64 {
	var hi, lo uint64
	for i := range 8 {
		hi = hi<<8 | uint64(k[i])
		lo = lo<<8 | uint64(k[i+8])
	}
	return mix(hi, lo)
}

// nameHash folds a server's name into one word: FNV-1a, then mixed.
func nameHash(name string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return mix(h, uint64(len(name)))
}
