package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// bulk sends for the given time over n connections and returns the bytes that arrived, and how long that
// took. The data is sent from the page cache with sendfile(2), as a file server would.
func bulk(addr string, n int, each time.Duration) (bytes uint64, took time.Duration, err error) {
	to, err := sockaddr(addr)
	if err != nil {
		return 0, 0, err
	}
	file, err := unix.MemfdCreate("bench", unix.MFD_CLOEXEC)
	if err != nil {
		return 0, 0, err
	}
	defer unix.Close(file)
	block := make([]byte, 1<<20)
	block[0] = roleSink
	if _, err := unix.Write(file, block); err != nil {
		return 0, 0, err
	}
	counts, failed, start := make([]uint64, n), make([]error, n), time.Now()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { counts[i], failed[i] = push(to, file, len(block), start.Add(each)) })
	}
	all.Wait()
	for _, count := range counts {
		bytes += count
	}
	return bytes, time.Since(start), errors.Join(failed...)
}

// push sends the file again and again until the deadline and returns what the receiver counted.
func push(to *unix.SockaddrInet4, file, size int, until time.Time) (uint64, error) {
	fd, err := dialSocket(to, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	var sent uint64
	for time.Now().Before(until) {
		for offset := int64(0); offset < int64(size); {
			n, err := unix.Sendfile(fd, file, &offset, size-int(offset))
			if err != nil && err != unix.EINTR && err != unix.EAGAIN {
				return 0, fmt.Errorf("sending: %w", err)
			}
			sent += uint64(max(n, 0))
		}
	}
	if err := unix.Shutdown(fd, unix.SHUT_WR); err != nil {
		return 0, err
	}
	var count [8]byte
	if n, err := unix.Read(fd, count[:]); n != len(count) {
		return 0, fmt.Errorf("the count did not come back: %d bytes, %v", n, err)
	}
	if got := binary.BigEndian.Uint64(count[:]); got != sent {
		return 0, fmt.Errorf("%d bytes sent, %d arrived", sent, got)
	}
	return sent, nil
}

// pingPong exchanges words on n connections, each as fast as it can: exchanges per second.
func pingPong(addr string, n int, each time.Duration) (float64, error) {
	c, err := newCrowd(addr, false, word(roleEcho)...)
	if err != nil {
		return 0, err
	}
	defer c.close()
	for range n {
		if err := c.open(); err != nil {
			return 0, err
		}
	}
	done, start := 0, time.Now()
	err = c.run(start.Add(each), func(fd int32) (bool, error) {
		done++
		return false, c.ask(fd)
	})
	return float64(done) / time.Since(start).Seconds(), err
}

// connectRate opens a connection, goes through the steps and closes it, n at a time: connections per second.
// The server closes first, so that no local port of client or middle stays behind.
func connectRate(addr string, n int, each time.Duration, steps ...step) (float64, error) {
	c, err := newCrowd(addr, true, steps...)
	if err != nil {
		return 0, err
	}
	defer c.close()
	for range n {
		if err := c.open(); err != nil {
			return 0, err
		}
	}
	done, start := 0, time.Now()
	err = c.run(start.Add(each), func(fd int32) (bool, error) {
		done++
		c.leave(fd)
		return false, c.open()
	})
	return float64(done) / time.Since(start).Seconds(), err
}

// holdIdle opens n connections, goes through the steps on each, and keeps them until release is called.
func holdIdle(addr string, n int, steps ...step) (release func(), err error) {
	c, err := newCrowd(addr, false, steps...)
	if err != nil {
		return nil, err
	}
	opened, answeredAll := 0, 0
	more := func() error {
		if opened == n {
			return nil
		}
		opened++
		return c.open()
	}
	for range min(n, 256) {
		if err := more(); err != nil {
			return c.close, err
		}
	}
	err = c.run(time.Now().Add(time.Minute), func(int32) (bool, error) {
		answeredAll++
		return answeredAll == n, more()
	})
	if err == nil && answeredAll < n {
		err = fmt.Errorf("%d of %d connections were served", answeredAll, n)
	}
	return c.close, err
}
