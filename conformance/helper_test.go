package conformance

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
)

// A helper is this test binary started once more, for the sake of a process with descriptors of its own.
// helperRole names what it plays; helperAddr and helperCount are its arguments.
const (
	helperRole  = "CONFORMANCE_HELPER"
	helperAddr  = "CONFORMANCE_ADDR"
	helperCount = "CONFORMANCE_COUNT"
)

func startHelper(t *testing.T, role, addr string, count int) *peers.Process {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	p, err := peers.Start(peers.Command{Name: role, Path: self, Env: []string{
		helperRole + "=" + role, helperAddr + "=" + addr, helperCount + "=" + fmt.Sprint(count)}})
	require.NoError(t, err)
	t.Cleanup(p.Stop)
	return p
}

func helper(role string) int {
	var count int
	_, _ = fmt.Sscan(os.Getenv(helperCount), &count)
	play := map[string]func(addr string, count int) error{"echo-server": echoServer, "crowd": crowd}[role]
	if play == nil {
		fmt.Println("no such helper:", role)
		return 2
	}
	if err := play(os.Getenv(helperAddr), count); err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	return 0
}

// echoServer serves until it is ended.
func echoServer(addr string, _ int) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Println("listening")
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			small := make([]byte, 64) // io.Copy would hold 32 kB for each of thousands
			for {
				n, err := c.Read(small)
				if err != nil {
					return
				}
				if _, err := c.Write(small[:n]); err != nil {
					return
				}
			}
		}()
	}
}

// crowd opens count connections, exchanges a word on each, says how many were served, and keeps them all,
// the unserved too: a crowd does not leave by itself. At each SIGUSR1 it exchanges a word on those that
// were served, and says how many still live.
func crowd(addr string, count int) error {
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGUSR1)
	all := make([]net.Conn, count)
	served := thousandAtATime(count, func(i int) bool {
		c, err := net.DialTimeout("tcp", addr, patience)
		all[i] = c
		return err == nil && greet(c) == nil
	})
	fmt.Println("served", len(served), "of", count)
	for range again {
		alive := thousandAtATime(len(served), func(i int) bool { return greet(all[served[i]]) == nil })
		fmt.Println("alive", len(alive))
	}
	return nil
}

// patience is how long one of the crowd waits for its connection, and then for its answer.
const patience = 15 * time.Second

// thousandAtATime calls try for 0…n-1 and returns those for which it was true.
func thousandAtATime(n int, try func(int) bool) (good []int) {
	var mu sync.Mutex
	var all sync.WaitGroup
	places := make(chan struct{}, 1000)
	for i := range n {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			if try(i) {
				mu.Lock()
				defer mu.Unlock()
				good = append(good, i)
			}
		})
	}
	all.Wait()
	return good
}

func greet(c net.Conn) error {
	_ = c.SetDeadline(time.Now().Add(patience))
	return exchange(c)
}
