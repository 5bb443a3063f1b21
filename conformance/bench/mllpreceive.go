package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// engine is the receiver of the HL7 loads: one loop, an answer to each message as soon as it is whole, no copies of what
// stands behind the header.
type engine struct {
	poll   *poller
	listen int
	feeds  []feed // by descriptor
	buf    []byte
	ack    []byte
}

// feed is one connection.
type feed struct {
	due int // bytes of the present message that are to come
	id  [controlIDLen]byte
}

// wholeMessage is what is read at once: small messages whole, of large ones the front.
const wholeMessage = 4 << 10

// serveMLLP serves on addr until the process is ended.
func serveMLLP(addr string) error {
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
	e := &engine{poll: poll, listen: listen, buf: make([]byte, 1<<20), ack: acknowledgement()}
	for {
		events, err := poll.wait()
		if err != nil {
			return err
		}
		for _, event := range events {
			if event.Fd == int32(listen) {
				e.accept()
			} else if !e.ready(int(event.Fd)) {
				unix.Close(int(event.Fd))
			}
		}
	}
}

func (e *engine) accept() {
	for {
		fd, _, err := unix.Accept4(e.listen, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err != nil {
			return
		}
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		for len(e.feeds) <= fd {
			e.feeds = append(e.feeds, feed{})
		}
		e.feeds[fd] = feed{}
		if e.poll.add(fd, unix.EPOLLIN) != nil {
			unix.Close(fd)
		}
	}
}

// ready takes what has come on one connection and reports whether it goes on. A message that is not of this load ends it.
func (e *engine) ready(fd int) bool {
	f := &e.feeds[fd]
	if f.due == 0 {
		n, err := unix.Read(fd, e.buf[:wholeMessage])
		if err == unix.EAGAIN {
			return true
		}
		if n < frontLen {
			return false
		}
		copy(f.id[:], e.buf[controlIDAt:])
		f.due = numberIn(e.buf[sizeAt:sizeAt+sizeLen]) + framing - n
		if f.due == 0 {
			return e.answer(fd, f)
		}
	}
	for f.due > 0 {
		n, _, err := unix.Recvfrom(fd, e.buf[:min(f.due, len(e.buf))], unix.MSG_TRUNC)
		if err == unix.EAGAIN {
			return true
		}
		if n <= 0 {
			return false
		}
		f.due -= n
	}
	return f.due == 0 && e.answer(fd, f)
}

func (e *engine) answer(fd int, f *feed) bool {
	fillAnswer(e.ack, f.id[:])
	n, err := unix.Write(fd, e.ack)
	return err == nil && n == len(e.ack)
}
