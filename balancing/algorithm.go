package balancing

import "fmt"

// Algorithm says how a pool chooses among servers that stand on the same rung.
type Algorithm uint8

// The algorithms, in the words of the configuration. LeastConnections is the
// zero value: sessions of imaging systems are long and unequal, and counting
// running ones is what evens them out.
const (
	LeastConnections Algorithm = iota // fewest (running + 1) per weight, longest-waiting first among equals
	RoundRobin                        // smooth weighted round-robin
	RandomTwo                         // two drawn by weight, the less loaded one serves
	SourceHash                        // weighted rendezvous hash of the request's key
)

// String gives the configuration word.
func (a Algorithm) String() string {
	switch a {
	case LeastConnections:
		return "least-connections"
	case RoundRobin:
		return "round-robin"
	case RandomTwo:
		return "random-two"
	case SourceHash:
		return "source-hash"
	}
	return fmt.Sprintf("algorithm(%d)", uint8(a))
}

// ParseAlgorithm reads a configuration word.
func ParseAlgorithm(word string) (Algorithm, error) {
	for _, a := range []Algorithm{LeastConnections, RoundRobin, RandomTwo, SourceHash} {
		if a.String() == word {
			return a, nil
		}
	}
	return LeastConnections, fmt.Errorf("unknown algorithm %q; use least-connections, round-robin, random-two or source-hash", word)
}

// Distribution says whether the servers of a pool share the work.
type Distribution uint8

// The distributions. Balance is the zero value.
const (
	Balance  Distribution = iota // all servers of a rung share, by the algorithm
	Failover                     // the first usable server in file order takes everything
)

// String gives the configuration word.
func (d Distribution) String() string {
	switch d {
	case Balance:
		return "balance"
	case Failover:
		return "failover"
	}
	return fmt.Sprintf("distribution(%d)", uint8(d))
}

// ParseDistribution reads a configuration word.
func ParseDistribution(word string) (Distribution, error) {
	for _, d := range []Distribution{Balance, Failover} {
		if d.String() == word {
			return d, nil
		}
	}
	return Balance, fmt.Errorf("unknown distribution %q; use balance or failover", word)
}
