package main

import (
	"golang.org/x/sys/unix"

	"gantry/protocols/dicom"
)

// getObjects is how many objects one C-GET brings.
const getObjects = 32

// giving is a C-GET under way: its objects are sent one after the other, each when the last was answered.
type giving struct {
	rq      dicom.Command
	object  object
	left    int   // objects that are to be sent after this one
	offset  int64 // of this one
	waiting bool  // for room in the socket
}

// get begins to answer a C-GET, whose identifier is left out: DataSetType says so.
func (a *dicomArchive) get(t *talk, c *dicom.Command) bool {
	o, ok := a.objects[t.cut]
	if !ok {
		if t.cut.pdu == 0 {
			return false
		}
		var err error
		if o.fd, o.size, err = t.cut.file(); err != nil {
			return false
		}
		a.objects[t.cut] = o
	}
	t.give = giving{rq: *c, object: o, left: getObjects}
	return a.next(t)
}

// next sends the next object, or says that there are no more.
func (a *dicomArchive) next(t *talk) bool {
	g := &t.give
	if g.left == 0 {
		return t.write(answerTo(getContext, &g.rq))
	}
	g.left--
	g.offset = 0
	return a.push(t)
}

// push sends what there is room for.
func (a *dicomArchive) push(t *talk) bool {
	g := &t.give
	for g.offset < int64(g.object.size) {
		_, err := unix.Sendfile(t.fd, g.object.fd, &g.offset, g.object.size-int(g.offset))
		switch err {
		case nil, unix.EINTR:
		case unix.EAGAIN:
			return a.room(t, true)
		default:
			return false
		}
	}
	return a.room(t, false)
}

// room asks to be told when there is room, or no longer.
func (a *dicomArchive) room(t *talk, wanted bool) bool {
	if t.give.waiting == wanted {
		return true
	}
	t.give.waiting = wanted
	return a.poll.mind(t.fd, wanted) == nil
}
