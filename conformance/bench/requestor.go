package main

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"gantry/protocols/dicom"
)

// patience is how long a requestor waits for an answer at most, in seconds.
const patience = 10

// requestor is one association on a blocking socket.
type requestor struct {
	fd  int
	buf []byte
}

// newRequestor connects and opens an association.
func newRequestor(addr string, opening step) (*requestor, error) {
	to, err := sockaddr(addr)
	if err != nil {
		return nil, err
	}
	fd, err := dialSocket(to, 0)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	r := &requestor{fd, make([]byte, 1<<20)}
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: patience})
	if err := r.exchange(opening); err != nil {
		r.close()
		return nil, fmt.Errorf("A-ASSOCIATE: %w", err)
	}
	return r, nil
}

func (r *requestor) close() { unix.Close(r.fd) }

// release ends the association in good order, and closes in any case.
func (r *requestor) release() error {
	defer r.close()
	if err := r.exchange(goodbye()); err != nil {
		return fmt.Errorf("A-RELEASE: %w", err)
	}
	return nil
}

// exchange says one thing and compares the answer.
func (r *requestor) exchange(s step) error {
	if _, err := unix.Write(r.fd, s.say); err != nil {
		return err
	}
	return r.expect(s.want)
}

func (r *requestor) expect(want []byte) error {
	got := 0
	for got < len(want) {
		n, err := unix.Read(r.fd, r.buf[got:len(want)])
		if err == unix.EINTR {
			continue
		}
		if n <= 0 {
			return fmt.Errorf("the answer ends after %d bytes: %w", got, errors.Join(err))
		}
		got += n
	}
	if !bytes.Equal(r.buf[:got], want) {
		return errors.New("another answer than the archive's")
	}
	return nil
}

// drop takes n bytes without copying them.
func (r *requestor) drop(n int) error {
	for n > 0 {
		m, _, err := unix.Recvfrom(r.fd, r.buf[:min(n, len(r.buf))], unix.MSG_TRUNC)
		if err == unix.EINTR {
			continue
		}
		if m <= 0 {
			return fmt.Errorf("an object ends %d bytes early: %w", n, errors.Join(err))
		}
		n -= m
	}
	return nil
}

// storeBulk sends objects over n associations for the given time: their bytes, and how long it took.
func storeBulk(addr string, n int, c cut, each time.Duration) (bytes uint64, took time.Duration, err error) {
	file, size, err := c.file()
	if err != nil {
		return 0, 0, err
	}
	defer unix.Close(file)
	stored := answerTo(storeContext, c.command())
	return c.sideBySide(addr, n, each, func(r *requestor) (int, error) {
		for offset := int64(0); offset < int64(size); {
			if _, err := unix.Sendfile(r.fd, file, &offset, size-int(offset)); err != nil && err != unix.EINTR {
				return 0, fmt.Errorf("sending: %w", err)
			}
		}
		return 1, r.expect(stored)
	})
}

// getBulk retrieves objects over n associations, in the same way.
func getBulk(addr string, n int, c cut, each time.Duration) (bytes uint64, took time.Duration, err error) {
	get := dicom.Command{Field: dicom.CGetRQ, MessageID: messageID, AffectedSOPClassUID: dicom.StudyRootGetUID,
		DataSetType: dicom.NoDataSet}
	ask, done := commandPDU(getContext, get), answerTo(getContext, &get)
	head, stored := commandPDU(storeContext, *c.command()), answerTo(storeContext, c.command())
	return c.sideBySide(addr, n, each, func(r *requestor) (int, error) {
		if _, err := unix.Write(r.fd, ask); err != nil {
			return 0, err
		}
		for range getObjects {
			if err := errors.Join(r.expect(head), r.drop(c.dataLen())); err != nil {
				return 0, err
			}
			if _, err := unix.Write(r.fd, stored); err != nil {
				return 0, err
			}
		}
		return getObjects, r.expect(done)
	})
}

// sideBySide repeats work in n associations until the time is over. The associations are opened before the
// clock starts.
func (c cut) sideBySide(addr string, n int, each time.Duration, work func(*requestor) (objects int, err error)) (uint64, time.Duration, error) {
	var opened []*requestor
	rq := request(c.title())
	for range n {
		r, err := newRequestor(addr, step{rq.Append(nil), acceptance(rq).Append(nil)})
		if err != nil {
			return 0, 0, err
		}
		opened = append(opened, r)
	}
	counts, failed, start := make([]int, n), make([]error, n), time.Now()
	var all sync.WaitGroup
	for i, r := range opened {
		all.Go(func() {
			for failed[i] == nil && time.Since(start) < each {
				var done int
				done, failed[i] = work(r)
				counts[i] += done
			}
		})
	}
	all.Wait()
	took, sum := time.Since(start), 0
	for i, r := range opened {
		failed[i] = errors.Join(failed[i], r.release())
		sum += counts[i]
	}
	return uint64(sum) * uint64(c.object), took, errors.Join(failed...)
}
