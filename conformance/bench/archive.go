package main

import (
	"fmt"

	"golang.org/x/sys/unix"

	"gantry/protocols/dicom"
)

// dicomArchive is the acceptor of the DICOM loads: one loop, every PDU in one write, no copies of objects.
type dicomArchive struct {
	poll    *poller
	listen  int
	talks   map[int32]*talk
	buf     []byte
	objects map[cut]object
}

// object is a whole C-STORE-RQ in memory, for sendfile(2).
type object struct{ fd, size int }

// talk is one association.
type talk struct {
	fd   int
	got  []byte // of PDUs that are not whole yet
	cut  cut
	drop int           // bytes of a data set that are to come
	rq   dicom.Command // whose data set that is
	give giving
}

// serveDICOM serves on addr until the process is ended.
func serveDICOM(addr string) error {
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
	a := &dicomArchive{poll, listen, map[int32]*talk{}, make([]byte, 1<<20), map[cut]object{}}
	for {
		events, err := poll.wait()
		if err != nil {
			return err
		}
		for _, e := range events {
			if e.Fd == int32(listen) {
				a.accept()
			} else if t := a.talks[e.Fd]; t != nil && !a.ready(t, e.Events) {
				delete(a.talks, e.Fd)
				unix.Close(t.fd)
			}
		}
	}
}

func (a *dicomArchive) accept() {
	for {
		fd, _, err := unix.Accept4(a.listen, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err != nil {
			return
		}
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		if a.poll.add(fd, unix.EPOLLIN) != nil {
			unix.Close(fd)
			continue
		}
		a.talks[int32(fd)] = &talk{fd: fd}
	}
}

// ready handles one association and reports whether it goes on.
func (a *dicomArchive) ready(t *talk, events uint32) bool {
	if events&unix.EPOLLOUT != 0 && !a.push(t) {
		return false
	}
	if events&(unix.EPOLLIN|unix.EPOLLHUP|unix.EPOLLERR) == 0 {
		return true
	}
	if t.drop > 0 {
		return a.swallow(t)
	}
	n, err := unix.Read(t.fd, a.buf[:4096])
	if err == unix.EAGAIN {
		return true
	}
	if n <= 0 {
		return false
	}
	t.got = append(t.got, a.buf[:n]...)
	return a.read(t)
}

// swallow drops what has come of a data set without copying it, and answers at its end.
func (a *dicomArchive) swallow(t *talk) bool {
	for range 8 { // then the others
		n, _, err := unix.Recvfrom(t.fd, a.buf[:min(t.drop, len(a.buf))], unix.MSG_TRUNC)
		switch {
		case err == unix.EAGAIN:
			return true
		case err != nil, n == 0:
			return false
		}
		if t.drop -= n; t.drop == 0 {
			return t.write(answerTo(storeContext, &t.rq))
		}
	}
	return true
}

// read takes the whole PDUs off what has come.
func (a *dicomArchive) read(t *talk) bool {
	for {
		_, length, err := dicom.DecodeHeader(t.got)
		end := dicom.HeaderLen + int(length)
		if err != nil || len(t.got) < end {
			return len(t.got) < dicom.HeaderLen || err == nil && length <= dicom.MaxAssociatePDU
		}
		pdu := t.got[:end]
		t.got = t.got[end:]
		if !a.pdu(t, pdu) {
			return false
		}
		if t.drop > 0 { // the beginning of the data set came with its command
			n := min(t.drop, len(t.got))
			t.got = t.got[n:]
			if t.drop -= n; t.drop == 0 && !t.write(answerTo(storeContext, &t.rq)) {
				return false
			}
		}
		if len(t.got) == 0 {
			t.got = nil
			return true
		}
	}
}

func (a *dicomArchive) pdu(t *talk, pdu []byte) bool {
	switch dicom.PDUType(pdu[0]) {
	case dicom.TypeAssociateRQ:
		rq, err := dicom.DecodeAssociateRQ(pdu)
		if err != nil {
			return false
		}
		t.cut, _ = cutOf(rq.CalledAE)
		return t.write(acceptance(rq).Append(nil))
	case dicom.TypeReleaseRQ:
		// The requestor would close by the standard; here the archive does, so that no port stays behind.
		t.write(dicom.AppendReleaseRP(nil))
		return false
	case dicom.TypeData:
		p, _, err := dicom.NextPDV(pdu[dicom.HeaderLen:])
		if err != nil || !p.Command {
			return false
		}
		c, err := dicom.DecodeCommand(p.Data)
		return err == nil && a.command(t, p.ContextID, c)
	}
	return false
}

func (a *dicomArchive) command(t *talk, context byte, c *dicom.Command) bool {
	switch c.Field {
	case dicom.CEchoRQ:
		return t.write(answerTo(context, c))
	case dicom.CStoreRQ:
		t.rq, t.drop = *c, t.cut.dataLen()
		return t.cut.pdu > 0
	case dicom.CGetRQ:
		return a.get(t, c)
	case dicom.CStoreRSP:
		return a.next(t)
	}
	return false
}

// write sends one small PDU, for which there is always room.
func (t *talk) write(b []byte) bool {
	n, _ := unix.Write(t.fd, b)
	return n == len(b)
}
