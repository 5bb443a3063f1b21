package dicomgate_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gantry/gateway/dicomgate"
	"gantry/protocols/dicom"
)

var finals = []uint16{success, success, 0xB000, 0xA700, 0x0110, 0xC001}

func (g *legal) status() uint16 { return rapid.SampledFrom(finals).Draw(g.t, "status") }

func (g *legal) few() int { return rapid.IntRange(0, 3).Draw(g.t, "few") }

// operation lets the client begin one; what answers it follows by itself.
func (g *legal) operation() {
	g.open++
	g.begun++
	field := rapid.SampledFrom([]uint16{dicom.CEchoRQ, dicom.CStoreRQ, dicom.CStoreRQ, dicom.CFindRQ, dicom.CMoveRQ,
		dicom.CGetRQ, dicom.NActionRQ, dicom.NCreateRQ}).Draw(g.t, "operation")
	g.ask(dicomgate.Client, field, field != dicom.CEchoRQ, func(id uint16) {
		switch field {
		case dicom.CFindRQ:
			g.find(id)
		case dicom.CMoveRQ:
			g.move(id)
		case dicom.CGetRQ:
			g.get(id, g.few(), dicom.SubOperations{})
		default:
			g.tell(dicomgate.Server, field, id, g.status(), rapid.Bool().Draw(g.t, "with data"), nil)
		}
	})
}

func (g *legal) find(id uint16) {
	for range g.few() {
		g.tell(dicomgate.Server, dicom.CFindRQ, id, pending, true, nil)
	}
	cancel := dicom.Command{Field: dicom.CCancelRQ, MessageIDBeingRespondedTo: id, DataSetType: dicom.NoDataSet}
	g.client.context = 3
	switch rapid.IntRange(0, 2).Draw(g.t, "cancelled") {
	case 0:
		g.tell(dicomgate.Server, dicom.CFindRQ, id, g.status(), false, nil)
	case 1: // too late
		g.client.say(cancel, nil, nil)
		g.tell(dicomgate.Server, dicom.CFindRQ, id, g.status(), false, nil)
	default:
		g.client.say(cancel, nil, func() { g.tell(dicomgate.Server, dicom.CFindRQ, id, dicom.StatusCancel, false, nil) })
	}
}

func (g *legal) move(id uint16) {
	n := uint16(g.few())
	for i := range n {
		g.tell(dicomgate.Server, dicom.CMoveRQ, id, pending, false, &dicom.SubOperations{Remaining: n - i, Completed: i})
	}
	g.tell(dicomgate.Server, dicom.CMoveRQ, id, g.status(), false, &dicom.SubOperations{Completed: n, Failed: 1, Warning: 2})
}

// get stores n objects at the client, one after the other, with pending responses now and then.
func (g *legal) get(id uint16, n int, done dicom.SubOperations) {
	if n == 0 {
		g.tell(dicomgate.Server, dicom.CGetRQ, id, g.status(), false, &done)
		return
	}
	if rapid.Bool().Draw(g.t, "pending") {
		now := done
		now.Remaining = uint16(n)
		g.tell(dicomgate.Server, dicom.CGetRQ, id, pending, false, &now)
	}
	g.ask(dicomgate.Server, dicom.CStoreRQ, true, func(sub uint16) {
		status := g.status()
		g.tell(dicomgate.Client, dicom.CStoreRQ, sub, status, false, nil)
		done.Completed++
		g.client.at(len(g.client.b), func() { g.get(id, n-1, done) })
	})
}

// event lets the server report something.
func (g *legal) event() {
	g.ask(dicomgate.Server, dicom.NEventReportRQ, rapid.Bool().Draw(g.t, "with data"), func(id uint16) {
		g.tell(dicomgate.Client, dicom.NEventReportRQ, id, g.status(), false, nil)
	})
}

// run lets a conversation of up to 12 operations pass. pass gets each piece.
func (g *legal) run(events bool, pass func(from dicomgate.Side, l *lane, n int)) {
	total := rapid.IntRange(1, 12).Draw(g.t, "operations")
	for {
		free := g.window == 0 || g.open < g.window
		switch step := rapid.IntRange(0, 9).Draw(g.t, "step"); {
		case step < 2 && free && g.begun < total:
			g.operation()
		case step == 2 && events:
			g.event()
		case g.client.left()+g.server.left() == 0:
			if g.begun == total {
				return
			}
		default:
			from := dicomgate.Side(step % 2)
			if g.lane(from).left() == 0 {
				from ^= 1
			}
			l := g.lane(from)
			pass(from, l, rapid.IntRange(1, min(l.left(), 200)).Draw(g.t, "bytes"))
		}
	}
}

// compare compares what does not depend on where the client is.
func (g *legal) compare(k *talk, requests bool) {
	got := counts{requests: map[[2]uint16]int{}, responses: map[[3]uint16]int{}}
	s := k.Summary()
	for _, o := range s.Operations {
		if o.Requests > 0 {
			got.requests[[2]uint16{uint16(o.Performer), o.Command}] = int(o.Requests)
		}
		for class, n := range o.Responses {
			if n > 0 {
				got.responses[[3]uint16{uint16(o.Performer), o.Command, uint16(class)}] = int(n)
			}
		}
	}
	require.Equal(g.t, g.count.responses, got.responses)
	require.Equal(g.t, []int{g.count.stored, g.count.sent, g.count.matches}, []int{int(s.Stored), int(s.Sent), int(s.Matches)})
	if requests {
		require.Equal(g.t, g.count.requests, got.requests)
	}
	for what, n := range got.requests {
		require.LessOrEqual(g.t, n, g.count.requests[what])
	}
}

// owed is what Outstanding has to say.
func (g *legal) owed() int {
	if g.count.asking > 0 {
		return 0
	}
	return g.count.waiting
}

func async(window int) *dicom.AsyncWindow {
	if window == 1 {
		return nil
	}
	return &dicom.AsyncWindow{Invoked: uint16(window), Performed: 1}
}

// Whatever peers may say to each other, however it is cut, and whatever of the data sets passes unseen: at every point
// all is known, and right.
func TestLegalConversations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := rapid.IntRange(0, 4).Draw(t, "window")
		g, k := newLegal(t, window), begin(async(window))
		holes := rapid.Bool().Draw(t, "holes")
		g.run(true, func(from dicomgate.Side, l *lane, n int) {
			if in := l.inside[l.passed]; holes && in > 0 && rapid.Bool().Draw(t, "unseen") {
				skip(k, from, len(l.pass(min(n, in))))
			} else {
				k.from(from == dicomgate.Server, l.pass(n))
			}
			left, known := k.Outstanding()
			require.True(t, known)
			require.Equal(t, g.owed(), left, "outstanding")
			require.Equal(t, l.bounds[l.passed], k.AtBoundary(from^1), "boundary")
			g.compare(k, true)
		})
		s := k.Summary()
		require.Equal(t, g.count.subs, s.Sub)
		require.False(t, k.Garbled(dicomgate.Client) || k.Garbled(dicomgate.Server))
	})
}

// Whatever of the client passes unseen: what the server answered is right, and what is said about the client is either
// right or too little, never too much.
func TestLegalConversationsOutOfSight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := rapid.IntRange(0, 2).Draw(t, "window")
		g, k := newLegal(t, window), begin(async(window))
		g.run(rapid.Bool().Draw(t, "events"), func(from dicomgate.Side, l *lane, n int) {
			if from == dicomgate.Client && rapid.IntRange(0, 3).Draw(t, "unseen") == 0 {
				skip(k, from, len(l.pass(n)))
			} else {
				k.from(from == dicomgate.Server, l.pass(n))
			}
			if left, known := k.Outstanding(); known {
				require.LessOrEqual(t, left, g.owed(), "outstanding")
			}
			if k.AtBoundary(dicomgate.Server) {
				require.True(t, g.client.bounds[g.client.passed], "in the middle of a PDU")
			}
			require.Equal(t, g.server.bounds[g.server.passed], k.AtBoundary(dicomgate.Client))
			require.Equal(t, dicomgate.Open, k.Stage())
		})
		require.False(t, k.Garbled(dicomgate.Client))
	})
}

func skip(k *talk, from dicomgate.Side, n int) {
	if from == dicomgate.Server {
		k.SkippedFromServer(n)
	} else {
		k.SkippedFromClient(n)
	}
}
