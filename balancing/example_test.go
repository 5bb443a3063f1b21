package balancing_test

import (
	"fmt"
	"net/netip"
	"time"

	"gantry/balancing"
)

// A client comes, its server's dial fails, and the next server takes it over
// within the same connection. From then on that one is the client's server.
func Example() {
	now := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	one := balancing.NewServer(balancing.ServerOptions{Name: "DICOM1"})
	two := balancing.NewServer(balancing.ServerOptions{Name: "DICOM2"})
	pool := balancing.NewPool(balancing.PoolOptions{
		Members:      []balancing.Member{{Server: one}, {Server: two}},
		Distribution: balancing.Failover,
		Persistence:  balancing.NewPersistence(balancing.PersistenceOptions{Timeout: time.Hour}),
	})
	one.SetHealth(balancing.Up, now)
	two.SetHealth(balancing.Up, now)

	r := balancing.Request{Key: balancing.AddrKey(netip.MustParseAddr("10.12.1.50")), Now: now}
	s, _ := pool.Pick(r)
	fmt.Println("dials", s.Name())
	s.AddFailure(balancing.Refused)
	s.Release()

	r.Tried = append(r.Tried, s)
	s, _ = pool.Pick(r)
	fmt.Println("then", s.Name())
	s.Release()

	r.Tried = nil
	s, _ = pool.Pick(r)
	fmt.Println("next time", s.Name())
	s.Release()

	// Output:
	// dials DICOM1
	// then DICOM2
	// next time DICOM2
}
