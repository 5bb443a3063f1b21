package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"gantry/conformance/peers"
	"gantry/protocols/dicom"
)

// The rows about associations.
const (
	rowTurn50     = "C-ECHO turn in an open association, p50 (µs)"
	rowTurn99     = "C-ECHO turn in an open association, p99 (µs)"
	rowAssociate  = "associations with one C-ECHO each, 32 at a time (per second)"
	rowStoreSmall = "C-STORE of 512 KiB in PDUs of 16 KiB, 4 associations (Gb/s)"
	rowStoreLarge = "C-STORE of 64 MiB in PDUs of 128 KiB, 4 associations (Gb/s)"
	rowGet        = "C-GET of 512 KiB objects in PDUs of 128 KiB, 4 associations (Gb/s)"
	rowHeld       = "memory of the middle (kB per open association without work)"
)

// unread is Gantry that does not read along.
const unread = "Gantry, inspect: false"

// heldAssociations are kept open at one time.
const heldAssociations = 2000

// dicomContenders are those of all loads, and Gantry that does not read along.
func dicomContenders(program string) []contender {
	all := contenders(program)
	if program != "" {
		all = append(all, contender{unread, startGantryWith(program, "dicom: {inspect: false}, ")})
	}
	return all
}

// dicomLoads are run against an archive of our own, which never waits for an acknowledgement.
var dicomLoads = []load{
	{"turn", turnLoad},
	{"associate", associateLoad},
	{"cstore-small", storeBulk(512<<10, smallPDU, rowStoreSmall)},
	{"cstore-large", storeBulk(64<<20, largePDU, rowStoreLarge)},
	{"cget", getBulk},
	{"held", heldLoad},
}

// scu is the requestor of an association.
type scu struct {
	c net.Conn
	r *bufio.Reader
}

// request is an A-ASSOCIATE-RQ for one context.
func request(class string) []byte {
	rq := dicom.AssociateRQ{
		CalledAE: "ANY-SCP", CallingAE: "BENCH",
		Contexts:        []dicom.PresentationContext{{ID: 1, AbstractSyntax: class, TransferSyntaxes: []string{dicom.ImplicitVRLittleEndianUID}}},
		UserInformation: dicom.UserInformation{MaxLength: largePDU, ImplementationClassUID: benchClass},
	}
	return rq.Append(nil)
}

func associate(addr, class string) (*scu, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &scu{c: c, r: bufio.NewReaderSize(c, 256<<10)}
	if _, err := c.Write(request(class)); err != nil {
		c.Close()
		return nil, err
	}
	t, err := s.drop()
	if err == nil && t != dicom.TypeAssociateAC {
		err = fmt.Errorf("%v in the place of an A-ASSOCIATE-AC", t)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return s, nil
}

// drop reads one PDU and forgets it.
func (s *scu) drop() (dicom.PDUType, error) {
	head, err := s.r.Peek(dicom.HeaderLen)
	if err != nil {
		return 0, err
	}
	t, length := dicom.PDUType(head[0]), int(binary.BigEndian.Uint32(head[2:]))
	_, err = s.r.Discard(dicom.HeaderLen + length)
	return t, err
}

// release ends the association in good order.
func (s *scu) release() error {
	defer s.c.Close()
	if _, err := s.c.Write(dicom.AppendReleaseRQ(nil)); err != nil {
		return err
	}
	t, err := s.drop()
	if err == nil && t != dicom.TypeReleaseRP {
		err = fmt.Errorf("%v in the place of an A-RELEASE-RP", t)
	}
	return err
}

var echoRequest = commandPDU(nil, dicom.Command{
	AffectedSOPClassUID: dicom.VerificationUID, Field: dicom.CEchoRQ, MessageID: 1, DataSetType: dicom.NoDataSet,
})

func (s *scu) echo() error {
	if _, err := s.c.Write(echoRequest); err != nil {
		return err
	}
	_, err := s.drop()
	return err
}

// turnLoad is one operation after the other in one association.
func turnLoad(_ context.Context, b *bench, c contender) (map[string]float64, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	s, err := associate(b.archive[c.name].addr, dicom.VerificationUID)
	if err != nil {
		return nil, err
	}
	var took []time.Duration
	for end := time.Now().Add(b.each); time.Now().Before(end); {
		start := time.Now()
		if err := s.echo(); err != nil {
			return nil, err
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	micros := func(share float64) float64 {
		return float64(took[int(share*float64(len(took)-1))]) / float64(time.Microsecond)
	}
	return map[string]float64{rowTurn50: micros(.5), rowTurn99: micros(.99)}, s.release()
}

// sideBySide runs work on n goroutines until the time is over, and sums up what they did.
func (b *bench) sideBySide(n int, work func(until time.Time) (float64, error)) (perSecond float64, err error) {
	var all sync.WaitGroup
	var mu sync.Mutex
	var sum float64
	start := time.Now()
	for range n {
		all.Go(func() {
			done, failed := work(start.Add(b.each))
			mu.Lock()
			defer mu.Unlock()
			sum, err = sum+done, errors.Join(err, failed)
		})
	}
	all.Wait()
	return sum / time.Since(start).Seconds(), err
}

func associateLoad(_ context.Context, b *bench, c contender) (map[string]float64, error) {
	rate, err := b.sideBySide(32, func(until time.Time) (done float64, err error) {
		for ; time.Now().Before(until); done++ {
			s, err := associate(b.archive[c.name].addr, dicom.VerificationUID)
			if err != nil {
				return done, err
			}
			if err := errors.Join(s.echo(), s.release()); err != nil {
				return done, err
			}
		}
		return done, nil
	})
	return map[string]float64{rowAssociate: rate}, err
}

// gigabits of so many objects a second.
func gigabits(objects float64, size int) float64 { return objects * float64(size) * 8 / 1e9 }

// storeBulk sends objects from the page cache, one after the other in each association.
func storeBulk(size, pdu int, row string) func(context.Context, *bench, contender) (map[string]float64, error) {
	return func(_ context.Context, b *bench, c contender) (map[string]float64, error) {
		file, err := os.CreateTemp(b.dir, "object")
		if err != nil {
			return nil, err
		}
		defer os.Remove(file.Name())
		defer file.Close()
		if _, err := file.Write(objectStream(size, pdu)); err != nil {
			return nil, err
		}
		rate, err := b.sideBySide(4, func(until time.Time) (float64, error) {
			return storeUntil(b.archive[c.name].addr, file.Name(), until)
		})
		return map[string]float64{row: gigabits(rate, size)}, err
	}
}

func storeUntil(addr, name string, until time.Time) (done float64, err error) {
	s, err := associate(addr, dicom.CTImageStorageUID)
	if err != nil {
		return 0, err
	}
	file, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	for ; time.Now().Before(until); done++ {
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return done, err
		}
		if _, err := io.Copy(s.c, file); err != nil { // sendfile(2)
			return done, err
		}
		if _, err := s.drop(); err != nil {
			return done, err
		}
	}
	return done, s.release()
}

func getBulk(_ context.Context, b *bench, c contender) (map[string]float64, error) {
	rate, err := b.sideBySide(4, func(until time.Time) (done float64, err error) {
		s, err := associate(b.archive[c.name].addr, dicom.StudyRootGetUID)
		if err != nil {
			return 0, err
		}
		for time.Now().Before(until) {
			if err := s.get(); err != nil {
				return done, err
			}
			done += getObjects
		}
		return done, s.release()
	})
	return map[string]float64{rowGet: gigabits(rate, getSize)}, err
}

var (
	getRequest = commandPDU(nil, dicom.Command{AffectedSOPClassUID: dicom.StudyRootGetUID, Field: dicom.CGetRQ, MessageID: 1, DataSetType: dicom.NoDataSet})
	kept       = commandPDU(nil, dicom.Command{Field: dicom.CStoreRSP, MessageIDBeingRespondedTo: 1, DataSetType: dicom.NoDataSet})
)

// get takes what one C-GET brings.
func (s *scu) get() error {
	if _, err := s.c.Write(getRequest); err != nil {
		return err
	}
	for range getObjects {
		for last := false; !last; {
			head, err := s.r.Peek(pdvHead)
			if err != nil {
				return err
			}
			last = head[pdvHead-1] == 2 // the last fragment of a data set
			if _, err := s.drop(); err != nil {
				return err
			}
		}
		if _, err := s.c.Write(kept); err != nil {
			return err
		}
	}
	_, err := s.drop()
	return err
}

// heldLoad looks at a middle that was just started, as idleLoad does.
func heldLoad(ctx context.Context, b *bench, c contender) (map[string]float64, error) {
	if c.name == direct {
		return nil, nil
	}
	middle, err := startOne(ctx, c, b.dir, b.archive[direct].addr, true)
	if err != nil {
		return nil, err
	}
	defer middle.Stop()
	before, err := middle.RSS()
	if err != nil {
		return nil, err
	}
	for range heldAssociations {
		s, err := associate(middle.addr, dicom.CTImageStorageUID)
		if err != nil {
			return nil, err
		}
		defer s.c.Close()
	}
	after, err := middle.RSS()
	return map[string]float64{rowHeld: float64(after-before) / 1024 / heldAssociations}, err
}

// startDICOM is the process that answers them.
func (b *bench) startDICOM(ctx context.Context) (*peers.Process, string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	addr := peers.FreeAddr()
	p, err := peers.Start(peers.Command{Name: "archive", Path: self, Args: []string{"-dicom", addr}})
	if err != nil {
		return nil, "", err
	}
	_, err = p.Await(ctx, "listening")
	return p, addr, err
}
