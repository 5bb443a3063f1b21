package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"gantry/protocols/dicom"
)

const (
	// getObjects is how many objects the archive sends for one C-GET, and getSize their size in bytes.
	getObjects = 32
	getSize    = 512 << 10
	// largePDU and smallPDU are lengths of P-DATA-TF: what good toolkits agree on, and what most do by default.
	largePDU = 128 << 10
	smallPDU = 16 << 10
)

// serveDICOM is an archive that costs as little as possible: it looks at the heads of PDUs, drops what it is
// sent, and writes every PDU at once.
func serveDICOM(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Println("listening")
	object := objectStream(getSize, largePDU)
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			a := archive{c: c, r: bufio.NewReaderSize(c, 256<<10), object: object}
			_ = a.serve()
		}()
	}
}

// archive is one association.
type archive struct {
	c      net.Conn
	r      *bufio.Reader
	object []byte // a whole C-STORE-RQ
	reply  []byte
}

var errReleased = errors.New("released")

func (a *archive) serve() error {
	for {
		if err := a.next(); err != nil {
			return err
		}
	}
}

// next takes one PDU.
func (a *archive) next() error {
	head, err := a.r.Peek(dicom.HeaderLen)
	if err != nil {
		return err
	}
	length := int(binary.BigEndian.Uint32(head[2:]))
	switch dicom.PDUType(head[0]) {
	case dicom.TypeAssociateRQ:
		return a.accept(length)
	case dicom.TypeData:
		return a.data(length)
	case dicom.TypeReleaseRQ:
		_, _ = a.c.Write(dicom.AppendReleaseRP(nil))
	}
	return errReleased
}

func (a *archive) accept(length int) error {
	pdu := make([]byte, dicom.HeaderLen+length)
	if _, err := io.ReadFull(a.r, pdu); err != nil {
		return err
	}
	rq, err := dicom.DecodeAssociateRQ(pdu)
	if err != nil {
		return err
	}
	ac := dicom.AssociateAC{UserInformation: dicom.UserInformation{MaxLength: largePDU, ImplementationClassUID: benchClass}}
	for _, c := range rq.Contexts {
		ac.Results = append(ac.Results, dicom.ContextResult{ID: c.ID, TransferSyntax: c.TransferSyntaxes[0]})
	}
	b := ac.Append(nil)
	dicom.CopyTitles(b, pdu)
	_, err = a.c.Write(b)
	return err
}

// pdvHead is where the content of the first presentation data value begins.
const pdvHead = dicom.HeaderLen + 6

// data takes a P-DATA-TF of one presentation data value, as all of ours are.
func (a *archive) data(length int) error {
	b, err := a.r.Peek(pdvHead)
	if err != nil {
		return err
	}
	control := b[pdvHead-1]
	if control != 3 { // no command
		if _, err := a.r.Discard(dicom.HeaderLen + length); err != nil {
			return err
		}
		if control&2 != 0 {
			return a.answer(dicom.CStoreRSP, 1)
		}
		return nil
	}
	pdu := make([]byte, dicom.HeaderLen+length)
	if _, err := io.ReadFull(a.r, pdu); err != nil {
		return err
	}
	c, err := dicom.DecodeCommand(pdu[pdvHead:])
	if err != nil {
		return err
	}
	switch c.Field {
	case dicom.CEchoRQ:
		return a.answer(dicom.CEchoRSP, c.MessageID)
	case dicom.CGetRQ:
		return a.give(c.MessageID)
	}
	return nil // a C-STORE-RQ: its object follows; or the answer to one of ours
}

// give answers a C-GET: each object, and the client's answer to it, then the end.
func (a *archive) give(id uint16) error {
	for range getObjects {
		if _, err := a.c.Write(a.object); err != nil {
			return err
		}
		if err := a.next(); err != nil {
			return err
		}
	}
	return a.answer(dicom.CGetRSP, id)
}

func (a *archive) answer(field, id uint16) error {
	a.reply = commandPDU(a.reply[:0], dicom.Command{Field: field, MessageIDBeingRespondedTo: id, DataSetType: dicom.NoDataSet})
	_, err := a.c.Write(a.reply)
	return err
}

// benchClass is the implementation class UID of both ends.
const benchClass = "2.25.169094021110743322363671350827519687372.9"

// commandPDU is a P-DATA-TF with a command set, on the only context.
func commandPDU(dst []byte, c dicom.Command) []byte {
	return dicom.AppendPData(dst, dicom.PDV{ContextID: 1, Command: true, Last: true, Data: c.Append(nil)})
}

// objectStream is a C-STORE-RQ with an object of that size, in PDUs of that length.
func objectStream(size, pdu int) []byte {
	b := commandPDU(nil, dicom.Command{
		AffectedSOPClassUID: dicom.CTImageStorageUID, Field: dicom.CStoreRQ, MessageID: 1,
		DataSetType: dicom.WithDataSet, AffectedSOPInstanceUID: "2.25.1",
	})
	zeros := make([]byte, pdu)
	for size > 0 {
		n := min(size, pdu-6)
		size -= n
		b = dicom.AppendPData(b, dicom.PDV{ContextID: 1, Last: size == 0, Data: zeros[:n]})
	}
	return b
}
