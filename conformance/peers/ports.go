package peers

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// Ports that we give to programs lie under the kernel's range for outgoing connections (from 32768), so
// that no connection of a neighbour can take one between our look and the program's bind.
const (
	firstPort = 20000
	lastPort  = 32000
)

var ports = struct {
	sync.Mutex
	next int
}{next: firstPort + rand.IntN(lastPort-firstPort)}

// FreePort is a port that nobody on this machine listens on, on any loopback address. No two calls of
// one process return the same one until the range of 12,000 is used up.
func FreePort() int {
	ports.Lock()
	defer ports.Unlock()
	for range lastPort - firstPort {
		if ports.next++; ports.next > lastPort {
			ports.next = firstPort
		}
		if l, err := net.Listen("tcp", fmt.Sprintf(":%d", ports.next)); err == nil {
			l.Close()
			return ports.next
		}
	}
	panic("no free port between 20000 and 32000")
}

// FreeAddr is FreePort on 127.0.0.1, as HOST:PORT.
func FreeAddr() string { return fmt.Sprintf("127.0.0.1:%d", FreePort()) }
