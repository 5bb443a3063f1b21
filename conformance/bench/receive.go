package main

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// wordLen is the length of a question and of its answer in the loads made of small exchanges.
const wordLen = 64

// The first byte of a connection tells the receiver what it is for.
const (
	roleSink = 'S' // count what comes, answer the count at the end
	roleOnce = 'O' // answer one word, then close
	roleEcho = 'E' // answer every word
)

// receiver is the server at the far end of every load: one loop, no copies of bulk data.
type receiver struct {
	poll    *poller
	listen  int
	role    map[int32]byte
	counted map[int32]uint64
	buf     []byte
}

// receive serves on addr until the process is ended.
func receive(addr string) error {
	listen, err := listenSocket(addr)
	if err != nil {
		return err
	}
	poll, err := newPoller()
	if err != nil {
		return err
	}
	if err := poll.add(listen, unix.EPOLLIN); err != nil {
		return err
	}
	fmt.Println("listening")
	r := &receiver{poll, listen, map[int32]byte{}, map[int32]uint64{}, make([]byte, 1<<20)}
	for {
		events, err := poll.wait()
		if err != nil {
			return err
		}
		for _, e := range events {
			if e.Fd == int32(listen) {
				r.accept()
			} else if !r.ready(e.Fd) {
				r.drop(e.Fd)
			}
		}
	}
}

func (r *receiver) accept() {
	for {
		fd, _, err := unix.Accept4(r.listen, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err != nil {
			return
		}
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		if r.poll.add(fd, unix.EPOLLIN) != nil {
			unix.Close(fd)
		}
	}
}

func (r *receiver) drop(fd int32) {
	delete(r.role, fd)
	delete(r.counted, fd)
	unix.Close(int(fd))
}

// ready handles one readable connection and reports whether it goes on.
func (r *receiver) ready(fd int32) bool {
	if r.role[fd] == roleSink {
		return r.swallow(fd)
	}
	n, err := unix.Read(int(fd), r.buf[:wordLen])
	if err == unix.EAGAIN {
		return true
	}
	if n <= 0 {
		return false
	}
	if r.role[fd] == 0 {
		r.role[fd] = r.buf[0]
	}
	switch r.role[fd] {
	case roleSink:
		r.counted[fd] = uint64(n)
		return r.swallow(fd)
	case roleEcho:
		_, err = unix.Write(int(fd), r.buf[:n])
		return err == nil
	default: // roleOnce
		_, _ = unix.Write(int(fd), r.buf[:n])
		return false
	}
}

// swallow takes what has come. MSG_TRUNC makes TCP drop it without copying: a receiver that copied would
// take processor time from the middles, most from the fastest.
func (r *receiver) swallow(fd int32) bool {
	for range 8 { // then the others
		n, _, err := unix.Recvfrom(int(fd), r.buf, unix.MSG_TRUNC)
		switch {
		case err == unix.EAGAIN:
			return true
		case err != nil:
			return false
		case n == 0:
			var count [8]byte
			binary.BigEndian.PutUint64(count[:], r.counted[fd])
			_, _ = unix.Write(int(fd), count[:])
			return false
		}
		r.counted[fd] += uint64(n)
	}
	return true
}
